"""Listing pages: a few header lines, then a title and its abstract in turn, blank lines between.

A paragraph is taken for an abstract by its length. Lines before the first pair are page furniture;
anything later that does not pair up is rejected by line. `rag/data/corpus` holds two such pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rag.readers.plaintext import Paragraph, paragraphs
from rag.readers.rows import paper_from
from rag.readers.source import Source, is_utf8
from rag.types import Paper, Rejected

ABSTRACT_CHARS_MIN = 200
PAIRS_MIN = 2
# Share of the paragraphs after the header that must stand in pairs.
PAIRED_MIN = 0.6
# One paper with headed sections also alternates short and long paragraphs.
SECTION_HEADINGS = frozenset(
    (
        *("abstract", "introduction", "background", "motivation", "objective", "objectives"),
        *("aim", "aims", "method", "methods", "materials", "results", "findings"),
        *("discussion", "conclusion", "conclusions", "references", "summary"),
    )
)


def sniff(source: Source) -> bool:
    """Whether the file begins as a listing page does."""
    found = list(paragraphs(source.head_text))
    if not source.head_is_whole and len(found) > 2:
        found.pop()
    first = next((i for i, (a, b) in enumerate(pairwise(found)) if _is_pair(a, b)), None)
    if first is None:
        return False
    body = found[first:]
    pairs = [(a, b) for a, b in pairwise(body) if _is_pair(a, b)]
    headed = any(_is_section_heading(title.text) for title, _ in pairs)
    return not headed and len(pairs) >= PAIRS_MIN and len(pairs) * 2 >= PAIRED_MIN * len(body)


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a listing page; their ids come from their content.

    :raises ReadError: if the file cannot be read.
    """
    title: Paragraph | None = None
    in_header = True
    for paragraph in paragraphs(source.text()):
        if not _is_long(paragraph):
            if title and not in_header:
                yield Rejected(source.origin, title.line, "a title without an abstract below it")
            title = paragraph
        elif title is None:
            yield Rejected(source.origin, paragraph.line, "an abstract without a title above it")
        else:
            yield _paper(title, paragraph, source.origin)
            title, in_header = None, False
    if title:
        yield Rejected(source.origin, title.line, "a title without an abstract below it")


def _paper(title: Paragraph, abstract: Paragraph, origin: str) -> Paper | Rejected:
    if not is_utf8(title.text + abstract.text):
        return Rejected(origin, title.line, "not valid UTF-8")
    row = {"title": title.text, "abstract": abstract.text}
    return paper_from(row, origin=origin, line=title.line)


def _is_long(paragraph: Paragraph) -> bool:
    return len(paragraph.text) >= ABSTRACT_CHARS_MIN


def _is_pair(title: Paragraph, abstract: Paragraph) -> bool:
    return not _is_long(title) and _is_long(abstract)


def _is_section_heading(text: str) -> bool:
    return text.strip(" .:0123456789").casefold() in SECTION_HEADINGS
