"""Chunks into unit vectors, each computed once: what a journal knows is not computed again.

An embedder that was trained for it reads a chunk once and tells the sentences in it apart; any other reads
the chunk, and each sentence with the title before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.index.chunking import ChunkWithSentences
from rag.index.chunks import Chunk
from rag.index.vector_journal import VectorJournal
from rag.ports import ContextEmbeddings
from vectorstore.base import unit_rows

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedder:
    """LangChain embeddings with the name and the checksum that go into the manifest."""

    model: Embeddings
    name: str
    checksum: str


def embedded(
    readings: Sequence[ChunkWithSentences],
    model: Embeddings,
    *,
    sentences: bool = True,
    journal: VectorJournal | None = None,
) -> list[Rows]:
    """The vectors of each reading's `chunks_in`, shape (chunks, dimension)."""
    if journal is None:
        return _computed(readings, model, sentences)
    keys = [_keys(reading, sentences) for reading in readings]
    known = [[journal.row(key) for key in own] for own in keys]
    new = [i for i, rows in enumerate(known) if any(row is None for row in rows)]
    fresh = dict(zip(new, _computed([readings[i] for i in new], model, sentences), strict=True))
    for i, rows in fresh.items():
        journal.keep(keys[i], rows)
    return [fresh[i] if i in fresh else np.stack(rows) for i, rows in enumerate(known)]  # type: ignore[arg-type]


def chunks_in(reading: ChunkWithSentences, *, sentences: bool = True) -> tuple[Chunk, ...]:
    """The chunk, and with `sentences` each sentence that begins in it."""
    return (reading.whole, *reading.sentences) if sentences else (reading.whole,)


def _computed(readings: Sequence[ChunkWithSentences], model: Embeddings, sentences: bool) -> list[Rows]:
    chunks = [chunks_in(reading, sentences=sentences) for reading in readings]
    if isinstance(model, ContextEmbeddings):
        asked = [(r.whole.title, [s.body for s in r.sentences] or [r.whole.body]) for r in readings]
        found = model.in_context(asked)
        return [unit_rows(rows[: len(own)]) for rows, own in zip(found, chunks, strict=True)]
    texts = [chunk.text for own in chunks for chunk in own]
    if not texts:
        return []
    return np.split(unit_rows(model.embed_documents(texts)), np.cumsum([len(own) for own in chunks])[:-1])


def _keys(reading: ChunkWithSentences, sentences: bool) -> list[str]:
    """A sentence's vector may depend on what stands around it."""
    return [f"{reading.whole.text}\0{c.view}{c.start}" for c in chunks_in(reading, sentences=sentences)]
