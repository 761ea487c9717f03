"""Plain text, one paper per file: the first paragraph is the title, the rest the abstract.

Without a blank line the first line is the title. A paragraph that only says "Abstract" is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag.readers.rows import paper_from
from rag.readers.source import Source, is_utf8
from rag.types import Paper, Rejected

TITLE_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines between blank lines. `line` is the first one's, 1-based."""

    line: int
    text: str


def sniff(source: Source) -> bool:
    """Whether the name says plain text; what the text says does not matter."""
    return source.suffix in ("", ".txt", ".text")


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The one paper of the file, or why it is none.

    :raises ReadError: if the file cannot be read.
    """
    found = list(paragraphs(source.text()))
    if not found:
        return
    title, rest = found[0], found[1:]
    if not rest and "\n" in title.text:
        first, below = title.text.split("\n", 1)
        title, rest = Paragraph(title.line, first), [Paragraph(title.line + 1, below)]
    body = [part.text for part in rest if part.text.strip(" :.").casefold() != "abstract"]
    yield _paper(title, "\n\n".join(body), source.origin)


def paragraphs(text: str) -> Iterator[Paragraph]:
    r"""The paragraphs of `text`, whose line ends are `\n`."""
    start, kept = 0, list[str]()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            start = start or number
            kept.append(line)
        elif kept:
            yield Paragraph(start, "\n".join(kept).strip())
            start, kept = 0, []
    if kept:
        yield Paragraph(start, "\n".join(kept).strip())


def _paper(title: Paragraph, abstract: str, origin: str) -> Paper | Rejected:
    if not is_utf8(title.text + abstract):
        return Rejected(origin, title.line, "not valid UTF-8")
    if len(title.text) > TITLE_CHARS_MAX:
        return Rejected(
            origin,
            title.line,
            f"the first paragraph is no title: over {TITLE_CHARS_MAX} characters",
        )
    row = {"title": title.text, "abstract": abstract}
    return paper_from(row, origin=origin, line=title.line)
