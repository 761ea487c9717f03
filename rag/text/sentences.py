"""Where the sentences of a text begin and end, as character offsets."""

from __future__ import annotations

from functools import lru_cache

import sentencex

from rag.text.printable import readable

Span = tuple[int, int]


def sentence_spans(text: str) -> list[Span]:
    """Half-open `(start, end)` of each sentence, without the white space around it, in order."""
    return list(_sentence_spans(text))


@lru_cache(maxsize=4096)  # a question asks for the spans of the same papers several times
def _sentence_spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    cursor = 0
    whole = readable(text)
    for segment in _segments(whole):
        start = whole.index(segment, cursor)
        cursor = start + len(segment)
        spans.extend(_stripped(text, start, cursor))
    return tuple(spans)


def _segments(text: str) -> list[str]:
    """Split again until nothing is: in a text with `i)` and `ii)` the library leaves items together."""
    parts = sentencex.segment("en", text)
    return [text] if len(parts) < 2 else [segment for part in parts for segment in _segments(part)]


def _stripped(text: str, start: int, end: int) -> list[Span]:
    """The span without the white space around it; none where nothing is left."""
    inner = text[start:end].strip()
    first = start + text[start:end].index(inner)
    return [(first, first + len(inner))] if inner else []
