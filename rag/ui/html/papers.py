"""The papers of a collection as a list: filtered, ordered, cut into pages. Pure; no Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.text.clean import clean
from rag.text.escape import inert, shown
from rag.text.terms import fold
from rag.types import Paper
from rag.ui.html.evidence import meta

PAGE = 25


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person narrowed the list to; `group` and the years are None for any."""

    query: str = ""
    group: int | None = None
    year_from: int | None = None
    year_to: int | None = None


def kept(papers: Sequence[Paper], narrowed: Filter, groups: Mapping[str, int]) -> list[Paper]:
    """The papers that pass every filter but the query, in their order."""
    return [
        paper
        for paper in papers
        if (narrowed.group is None or groups.get(paper.paper_id) == narrowed.group)
        and (narrowed.year_from is None or (paper.year or 0) >= narrowed.year_from)
        and (narrowed.year_to is None or (paper.year is not None and paper.year <= narrowed.year_to))
    ]


def by_title(papers: Sequence[Paper]) -> list[Paper]:
    """In alphabetical order, accents and case aside."""
    return sorted(papers, key=lambda paper: (fold(clean(paper.title)), paper.paper_id))


def years_of(papers: Sequence[Paper]) -> tuple[int, int] | None:
    """The first and last year; None where no paper has one, or all the same."""
    years = [paper.year for paper in papers if paper.year]
    return (min(years), max(years)) if years and min(years) < max(years) else None


def list_html(papers: Sequence[Paper], *, shown_max: int, query: str, topics: Mapping[str, str]) -> str:
    """The first papers as cards, and how many there are."""
    if not papers:
        what = f" for “{query.strip()}”" if query.strip() else ""
        return f'<div class="cw-empty">{inert(f"No paper{what}.")}</div>'
    order = "best match first" if query.strip() else "by title"
    count = f"{len(papers):,} paper{'' if len(papers) == 1 else 's'}, {order}"
    cards = "".join(_card(paper, topics.get(paper.paper_id, "")) for paper in papers[:shown_max])
    return f'<div class="cw-count" role="status">{count}</div><div class="cw-papers">{cards}</div>'


def _card(paper: Paper, topic: str) -> str:
    return (
        f'<details class="cw-card cw-entry"><summary><span class="cw-title">{shown(paper.title)}</span>'
        f"{meta(paper)}{topic}</summary>"
        f'<div class="cw-body">{shown(paper.abstract)}</div>'
        '<button type="button" class="cw-do cw-ask">Ask about this paper</button></details>'
    )


def topic_chip(group: int, name: str) -> str:
    """A group's colour and name."""
    return f'<span class="cw-chip cw-g{group}">{inert(name)}</span>'
