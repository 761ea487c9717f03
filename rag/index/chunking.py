"""An abstract becomes sentences and chunks, each with character offsets into the stored text.

What is embedded may carry the title; what is quoted is the span alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.index.chunks import Chunk, View
from rag.text.clean import clean
from rag.text.sentences import Span, _stripped, sentence_spans
from rag.types import Paper

# MiniLM reads 256 word pieces: title and chunk together stay below that.
CHUNK_CHARS = 1100


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


@dataclass(frozen=True, slots=True)
class ChunkWithSentences:
    """A chunk of an abstract and the sentences that begin in it: what an embedder reads at once."""

    whole: Chunk
    sentences: tuple[Chunk, ...]


def chunks_with_sentences(paper: Paper) -> list[ChunkWithSentences]:
    """The chunks of a paper with their sentences. Ids are `<paper_id>#<view initial><start>`."""
    sentences = _chunks(paper, "sentence", sentence_spans(paper.abstract))
    return [
        ChunkWithSentences(whole, tuple(s for s in sentences if whole.start <= s.start < whole.end))
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
