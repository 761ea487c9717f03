"""The evidence panel: each citation with its paper, the sentences that carry the answer, and how far.

Pure functions: `Answer` -> HTML. What is quoted is found by its offsets into the stored abstract.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rag.text.clean import clean, clean_with_offsets
from rag.text.escape import inert, link, shown
from rag.types import Answer, Citation, Paper, Passage, Quote

_AUTHORS_SHOWN = 3


def anchor(number: int, key: int) -> str:
    """The id of the card of citation `key` in exchange `number`; [n] marks link to it."""
    return f"cw-{number}-{key}"


def panel(answer: Answer, number: int) -> str:
    """The panel beside an answer: its citations, or what comes closest, and what else was found."""
    papers = {passage.paper.paper_id: passage.paper for passage in answer.passages}
    if answer.abstention:
        near = _closest(answer)
        first = [_closest_card(title, paper) for title, paper in near]
        used = {paper.paper_id for _, paper in near if paper}
        heading = "Closest papers"
    else:
        first = [
            _citation_card(c, papers.get(c.paper_id), _carried(answer, c.key), number)
            for c in answer.citations
        ]
        used = {citation.paper_id for citation in answer.citations}
        heading = "Evidence"
    body = f"<h3>{heading}</h3>{''.join(first)}" if first else ""
    return body + _others(answer.passages, used)


def marked(abstract: str, quotes: Iterable[Quote]) -> str:
    """The whole abstract, cleaned, with the quoted characters highlighted."""
    cleaned = clean_with_offsets(abstract)
    pieces: list[str] = []
    cursor = 0
    for quote in sorted(quotes, key=lambda q: q.start):
        start, end = cleaned.from_source(quote.start, quote.end)
        start = max(start, cursor)
        if start < end:
            pieces.append(inert(cleaned.text[cursor:start]))
            pieces.append(f"<mark>{inert(cleaned.text[start:end])}</mark>")
            cursor = end
    return "".join(pieces) + inert(cleaned.text[cursor:])


def support_bar(support: float) -> str:
    """How far the cited sentences carry what is said, as a bar and a number."""
    percent = round(100 * min(max(support, 0.0), 1.0))
    return (
        f'<div class="cw-support"><span class="cw-bar"><span style="width:{percent}%"></span></span>'
        f"support {support:.2f}</div>"
    )


def _carried(answer: Answer, key: int) -> float | None:
    """The least support among the sentences that cite `key`."""
    return min((s.support for s in answer.sentences if key in s.citations), default=None)


def _citation_card(citation: Citation, paper: Paper | None, support: float | None, number: int) -> str:
    """[n], title, year and host, the carrying sentences, and the abstract they stand in."""
    quotes = " … ".join(f"<mark>{shown(quote.text)}</mark>" for quote in citation.quotes)
    known = paper or Paper(citation.paper_id, citation.title, "", citation.year, citation.url)
    abstract = _abstract(marked(paper.abstract, citation.quotes)) if paper else ""
    bar = "" if support is None else support_bar(support)
    return (
        f'<div class="cw-card" id="{anchor(number, citation.key)}">'
        f'<div class="cw-head"><span class="cw-key">{citation.key}</span>'
        f'<div class="cw-title">{shown(citation.title)}{meta(known)}</div></div>'
        f'{bar}<div class="cw-quotes">{quotes}</div>{abstract}</div>'
    )


def _closest(answer: Answer) -> list[tuple[str, Paper | None]]:
    """The closest titles with their papers, where the papers were handed on."""
    by_title = {clean(passage.paper.title): passage.paper for passage in answer.passages}
    titles = answer.abstention.closest if answer.abstention else ()
    return [(title, by_title.get(title)) for title in titles]


def _closest_card(title: str, paper: Paper | None) -> str:
    """A paper that is near the question but does not answer it."""
    about = meta(paper) if paper else ""
    abstract = _abstract(marked(paper.abstract, ())) if paper else ""
    return f'<div class="cw-card cw-near"><div class="cw-title">{shown(title)}{about}</div>{abstract}</div>'


def _others(passages: Sequence[Passage], used: Collection[str]) -> str:
    """Papers that were found but not used, folded away."""
    rest = [passage.paper for passage in passages if passage.paper.paper_id not in used]
    if not rest:
        return ""
    cards = "".join(_closest_card(paper.title, paper) for paper in rest)
    return f'<details class="cw-more"><summary>Also found, not used ({len(rest)})</summary>{cards}</details>'


def _abstract(body: str) -> str:
    """An abstract behind a disclosure."""
    return (
        '<details class="cw-abstract"><summary><span class="cw-closed">Show whole abstract</span>'
        f'<span class="cw-open">Hide abstract</span></summary><div>{body}</div></details>'
    )


def meta(paper: Paper) -> str:
    """Authors, year, venue and host, as far as they are known."""
    authors = ", ".join(shown(name) for name in paper.authors[:_AUTHORS_SHOWN])
    if len(paper.authors) > _AUTHORS_SHOWN:
        authors += " et al."
    venue = shown(paper.venue) if paper.venue else ""
    known = [authors, str(paper.year) if paper.year else "", venue, link(paper.url)]
    parts = " · ".join(part for part in known if part)
    return f'<div class="cw-meta">{parts}</div>' if parts else ""
