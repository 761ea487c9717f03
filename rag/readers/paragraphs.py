"""Text as paragraphs with the line each starts on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines between blank lines. `line` is the first one's, 1-based."""

    line: int
    text: str


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
