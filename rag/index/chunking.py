"""An abstract becomes chunks of whole sentences, each with character offsets into the stored text.

What is embedded may carry the title; what is quoted is the span alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.index.chunks import Chunk, View, chunk_id
from rag.text.clean import clean
from rag.text.sentences import Span, stripped
from rag.types import Paper, PaperText

# MiniLM reads 256 word pieces: title and chunk together stay below that.
CHUNK_CHARS = 1100


def chunk_spans(text: str, sentences: Sequence[Span], *, chars_max: int = CHUNK_CHARS) -> list[Span]:
    """Half-open spans of at most `chars_max` characters, each as many whole sentences as fit.

    A sentence that is longer by itself is cut at white space.
    """
    spans: list[Span] = []
    for start, end in sentences:
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
        spans.extend(stripped(text, first, first + len(document.page_content)))
    return spans


@dataclass(frozen=True, slots=True)
class ChunkWithSentences:
    """A chunk of an abstract and the sentences that begin in it: what an embedder reads at once."""

    whole: Chunk
    sentences: tuple[Chunk, ...]


def chunks_with_sentences(paper: Paper, text: PaperText) -> list[ChunkWithSentences]:
    """The chunks of a paper with their sentences, as `text` tells them."""
    spans = [(sentence.start, sentence.end) for sentence in text.sentences]
    sentences = _chunks(paper, "sentence", spans)
    return [
        ChunkWithSentences(whole, tuple(s for s in sentences if whole.start <= s.start < whole.end))
        for whole in _chunks(paper, "abstract", chunk_spans(paper.abstract, spans))
    ]


def _chunks(paper: Paper, view: View, spans: Sequence[Span]) -> list[Chunk]:
    name, title, abstract = paper.paper_id, clean(paper.title), paper.abstract
    return [
        Chunk(chunk_id(name, view, start), name, view, title, clean(abstract[start:end]), start, end)
        for start, end in spans
    ]
