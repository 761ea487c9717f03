"""An abstract becomes sentences and chunks, each with character offsets into the stored text.

What is embedded may carry the title; what is quoted is the span alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import sentencex
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.cleaning import clean
from rag.types import Chunk, Paper, View

# MiniLM reads 256 word pieces: title and chunk together stay below that.
CHUNK_CHARS = 1100
Span = tuple[int, int]
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: cannot be passed on as UTF-8


def sentence_spans(text: str) -> list[Span]:
    """Half-open `(start, end)` of each sentence, without the white space around it, in order."""
    return list(_sentence_spans(text))


@lru_cache(maxsize=4096)  # a question asks for the spans of the same papers several times
def _sentence_spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    cursor = 0
    whole = _LONE_SURROGATE.sub("\ufffd", text)
    for segment in sentencex.segment("en", whole):
        start = whole.index(segment, cursor)
        cursor = start + len(segment)
        spans.extend(_stripped(text, start, cursor))
    return tuple(spans)


def chunk_spans(text: str, *, chars_max: int = CHUNK_CHARS) -> list[Span]:
    """Half-open spans of at most `chars_max` characters, cut at the coarsest white space that fits."""
    if len(text) <= chars_max:
        return _stripped(text, 0, len(text))
    return list(_chunk_spans(text, chars_max))


@lru_cache(maxsize=4096)
def _chunk_spans(text: str, chars_max: int) -> tuple[Span, ...]:
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=chars_max,
        chunk_overlap=0,
        separators=["\n\n", "\n", ". ", " ", ""],
        keep_separator="end",
        add_start_index=True,
        strip_whitespace=True,
    )
    spans: list[Span] = []
    for document in splitter.create_documents([text]):
        start = document.metadata["start_index"]
        spans.extend(_stripped(text, start, start + len(document.page_content)))
    return tuple(spans)


def _stripped(text: str, start: int, end: int) -> list[Span]:
    """The span without the white space around it; none where nothing is left."""
    inner = text[start:end].strip()
    first = start + text[start:end].index(inner)
    return [(first, first + len(inner))] if inner else []


def chunks_of(paper: Paper, views: tuple[View, ...]) -> Iterator[Chunk]:
    """The chunks of a paper in these views. Ids are `<paper_id>#<view initial><start>`."""
    title = clean(paper.title)
    if "title" in views:
        yield Chunk(f"{paper.paper_id}#t0", paper.paper_id, "title", title, 0, 0)
    if "abstract" in views:
        yield from _spans_as_chunks(paper, "abstract", chunk_spans(paper.abstract))
    if "sentence" in views:
        yield from _spans_as_chunks(paper, "sentence", sentence_spans(paper.abstract))


def _spans_as_chunks(paper: Paper, view: View, spans: list[Span]) -> Iterator[Chunk]:
    title = clean(paper.title)
    for start, end in spans:
        text = f"{title}. {clean(paper.abstract[start:end])}"
        yield Chunk(f"{paper.paper_id}#{view[0]}{start}", paper.paper_id, view, text, start, end)


def paper_id_of(chunk_id: str) -> str:
    """The paper a chunk id belongs to."""
    return chunk_id.rpartition("#")[0]
