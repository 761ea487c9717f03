"""Where the sentences of a text begin and end, as character offsets."""

from __future__ import annotations

import sentencex

from rag.text.printable import readable

Span = tuple[int, int]


def sentence_spans(text: str) -> list[Span]:
    """Half-open `(start, end)` of each sentence, without the white space around it, in order."""
    spans: list[Span] = []
    cursor = 0
    whole = readable(text)
    for segment in _segments(whole):
        start = whole.index(segment, cursor)
        cursor = start + len(segment)
        spans.extend(stripped(text, start, cursor))
    return spans


def _segments(text: str) -> list[str]:
    """Split again until nothing is: in a text with `i)` and `ii)` the library leaves items together."""
    parts = sentencex.segment("en", text)
    return [text] if len(parts) < 2 else [segment for part in parts for segment in _segments(part)]


def stripped(text: str, start: int, end: int) -> list[Span]:
    """The span without the white space around it; none where nothing is left."""
    inner = text[start:end].strip()
    first = start + text[start:end].index(inner)
    return [(first, first + len(inner))] if inner else []
