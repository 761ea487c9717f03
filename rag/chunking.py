"""An abstract becomes sentences and chunks, each with character offsets into the stored text.

What is embedded may carry the title; what is quoted is the span alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    for segment in _segments(whole):
        start = whole.index(segment, cursor)
        cursor = start + len(segment)
        spans.extend(_stripped(text, start, cursor))
    return tuple(spans)


def _segments(text: str) -> list[str]:
    """Split again until nothing is: in a text with `i)` and `ii)` the library leaves items together."""
    parts = sentencex.segment("en", text)
    return [text] if len(parts) < 2 else [segment for part in parts for segment in _segments(part)]


def chunk_spans(text: str, *, chars_max: int = CHUNK_CHARS) -> list[Span]:
    """Half-open spans of at most `chars_max` characters, each as many whole sentences as fit.

    A sentence that is longer by itself is cut at white space.
    """
    spans: list[Span] = []
    for start, end in sentence_spans(text):
        if spans and end - spans[-1][0] <= chars_max:
            spans[-1] = spans[-1][0], end
        elif end - start <= chars_max:
            spans.append((start, end))
        else:
            spans += _pieces(text, start, end, chars_max)
    return spans


def _pieces(text: str, start: int, end: int, chars_max: int) -> list[Span]:
    """A long sentence, cut at the coarsest white space that fits."""
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=chars_max, chunk_overlap=0, separators=[" ", ""], add_start_index=True
    )
    spans: list[Span] = []
    for document in splitter.create_documents([text[start:end]]):
        first = start + document.metadata["start_index"]
        spans.extend(_stripped(text, first, first + len(document.page_content)))
    return spans


def _stripped(text: str, start: int, end: int) -> list[Span]:
    """The span without the white space around it; none where nothing is left."""
    inner = text[start:end].strip()
    first = start + text[start:end].index(inner)
    return [(first, first + len(inner))] if inner else []


@dataclass(frozen=True, slots=True)
class Reading:
    """A chunk of an abstract and the sentences that begin in it: what an embedder reads at once."""

    whole: Chunk
    sentences: tuple[Chunk, ...]


def readings_of(paper: Paper) -> list[Reading]:
    """The chunks of a paper with their sentences. Ids are `<paper_id>#<view initial><start>`."""
    sentences = _chunks(paper, "sentence", sentence_spans(paper.abstract))
    return [
        Reading(whole, tuple(s for s in sentences if whole.start <= s.start < whole.end))
        for whole in _chunks(paper, "abstract", chunk_spans(paper.abstract))
    ]


def _chunks(paper: Paper, view: View, spans: list[Span]) -> list[Chunk]:
    name, title = f"{paper.paper_id}#{view[0]}", clean(paper.title)
    return [
        Chunk(f"{name}{start}", paper.paper_id, view, title, clean(paper.abstract[start:end]), start, end)
        for start, end in spans
    ]


def paper_id_of(chunk_id: str) -> str:
    """The paper a chunk id belongs to."""
    return chunk_id.rpartition("#")[0]
