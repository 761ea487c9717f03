"""The papers of a collection as a list of cards. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from rag.types import Paper
from rag.ui.html.environment import fill
from rag.ui.html.evidence import meta

PAGE = 25


class PaperCard(NamedTuple):
    """A paper with what is known of it and, in its collection, the chip of its topic."""

    paper: Paper
    meta: Markup
    topic: Markup = Markup()


def list_html(papers: Sequence[Paper], *, shown_max: int, query: str, topics: Mapping[str, Markup]) -> Markup:
    """The first papers as cards, each with the chip of its topic by its id, and how many there are."""
    query = query.strip()
    if not papers:
        return fill("papers.html", "nothing", query=query)
    order = "best match first" if query else "by title"
    cards = [
        PaperCard(paper, meta(paper), topics.get(paper.paper_id, Markup())) for paper in papers[:shown_max]
    ]
    return fill("papers.html", "listed", count=len(papers), order=order, cards=cards)
