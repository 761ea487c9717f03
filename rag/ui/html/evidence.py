"""The evidence panel: each citation with its paper, the sentences that carry the answer, and how far.

Pure functions: `Answer` -> HTML. What is quoted is found by its offsets into the stored abstract.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from rag.text.clean import clean, clean_with_offsets
from rag.text.escape import web_host
from rag.types import Answer, Citation, Paper, Quote
from rag.ui.html.environment import fill

_AUTHORS_SHOWN = 3


class Span(NamedTuple):
    """Some characters of an abstract, quoted or between quotes."""

    text: str
    quoted: bool


def anchor(number: int, key: int) -> Markup:
    """The id of the card of citation `key` in exchange `number`; [n] marks link to it."""
    return Markup("cw-{}-{}").format(number, key)


def panel(answer: Answer, number: int) -> Markup:
    """The panel beside an answer: its citations, or what comes closest, and what else was found."""
    papers = {passage.paper.paper_id: passage.paper for passage in answer.passages}
    if answer.abstention:
        near = _closest(answer)
        first = [_closest_card(title, paper) for title, paper in near]
        used = {paper.paper_id for _, paper in near if paper}
        heading = "Closest papers"
    else:
        first = [
            _citation_card(c, papers.get(c.paper_id), _support_bar(answer, c.key), number)
            for c in answer.citations
        ]
        used = {citation.paper_id for citation in answer.citations}
        heading = "Evidence"
    rest = [passage.paper for passage in answer.passages if passage.paper.paper_id not in used]
    others = [_closest_card(paper.title, paper) for paper in rest]
    return fill("evidence.html", "panel", heading=heading, cards=first, others=others)


def marked(abstract: str, quotes: Iterable[Quote]) -> Markup:
    """The whole abstract, cleaned, with the quoted characters highlighted."""
    return fill("evidence.html", "marked", spans=spans_of(abstract, quotes))


def spans_of(abstract: str, quotes: Iterable[Quote]) -> list[Span]:
    """The cleaned abstract in order, cut where a quote begins or ends; overlapping quotes are joined."""
    cleaned = clean_with_offsets(abstract)
    spans: list[Span] = []
    cursor = 0
    for quote in sorted(quotes, key=lambda q: q.start):
        start, end = cleaned.from_source(quote.start, quote.end)
        start = max(start, cursor)
        if start < end:
            spans += [
                Span(cleaned.text[cursor:start], quoted=False),
                Span(cleaned.text[start:end], quoted=True),
            ]
            cursor = end
    return [*spans, Span(cleaned.text[cursor:], quoted=False)]


def meta(paper: Paper) -> Markup:
    """Authors, year, venue and host, as far as they are known."""
    more = " et al." if len(paper.authors) > _AUTHORS_SHOWN else ""
    authors = ", ".join(map(clean, paper.authors[:_AUTHORS_SHOWN])) + more
    known = [authors, str(paper.year or ""), clean(paper.venue or "")]
    url, host = (paper.url or "").strip(), web_host(paper.url)
    return fill("evidence.html", "meta", parts=[part for part in known if part], url=url, host=host)


def _support_bar(answer: Answer, key: int) -> Markup:
    """The least support among the sentences that cite `key`; empty where none does."""
    support = min((s.support for s in answer.sentences if key in s.citations), default=None)
    if support is None:
        return Markup()
    percent = round(100 * min(max(support, 0.0), 1.0))
    return fill("evidence.html", "support_bar", support=support, percent=percent)


def _citation_card(citation: Citation, paper: Paper | None, bar: Markup, number: int) -> Markup:
    """[n], title, year and host, the carrying sentences, and the abstract they stand in."""
    known = paper or Paper(citation.paper_id, citation.title, "", citation.year, citation.url)
    return fill(
        "evidence.html",
        "citation",
        citation=citation,
        anchor=anchor(number, citation.key),
        meta=meta(known),
        bar=bar,
        abstract=spans_of(paper.abstract, citation.quotes) if paper else None,
    )


def _closest(answer: Answer) -> list[tuple[str, Paper | None]]:
    """The closest titles with their papers, where the papers were handed on."""
    by_title = {clean(passage.paper.title): passage.paper for passage in answer.passages}
    titles = answer.abstention.closest if answer.abstention else ()
    return [(title, by_title.get(title)) for title in titles]


def _closest_card(title: str, paper: Paper | None) -> Markup:
    """A paper that is near the question but does not answer it."""
    about = meta(paper) if paper else Markup()
    abstract = spans_of(paper.abstract, ()) if paper else None
    return fill("evidence.html", "closest", title=title, meta=about, abstract=abstract)
