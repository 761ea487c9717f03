"""What a new generation takes from the one before, and what it has to embed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.index.chunking import ChunkWithSentences
from rag.index.chunks import paper_id_of, sentence_ids
from rag.index.embedding import Embedder, chunks_in, embedded
from rag.index.paper_index import PaperIndex
from rag.index.paper_text import read_paper, to_json
from rag.index.vector_journal import VectorJournal
from rag.ports import Progress
from rag.types import Paper, PaperText
from vectorstore.base import VectorStore
from vectorstore.faiss_store import FaissStore, choose_kind

_READ_AT_ONCE = 128
_JOURNAL_FROM = 2048  # abstracts: from about two minutes of embedding on, a kill shall not lose them


def texts_of(
    papers: Sequence[Paper], changed: Sequence[Paper], current: PaperIndex | None
) -> dict[str, PaperText]:
    """By id, what has to be read now: changed papers; all, where no index of this format has their texts."""
    stored = current is not None and not current.manifest.is_outdated
    return {paper.paper_id: read_paper(paper) for paper in (changed if stored else papers)}


def as_stored(
    papers: Sequence[Paper], read: Mapping[str, PaperText], current: PaperIndex | None
) -> dict[str, str]:
    """The text of every paper as it is stored, by id: those that were read now, and the others unopened."""
    kept = [paper.paper_id for paper in papers if paper.paper_id not in read]
    carried = current.stored_texts(kept) if current is not None and kept else {}
    return carried | {paper_id: to_json(text) for paper_id, text in read.items()}


def split_anew(
    papers: Sequence[Paper],
    changed: Sequence[Paper],
    texts: Mapping[str, PaperText],
    current: PaperIndex | None,
) -> list[Paper]:
    """Papers of an index of the format before whose sentences end elsewhere now: to be embedded again."""
    if current is None or not current.manifest.is_outdated or "sentence" not in current.manifest.views:
        return []
    known = {paper.paper_id for paper in changed}
    return [
        paper
        for paper in papers
        if paper.paper_id not in known
        and sentence_ids(paper.paper_id, texts[paper.paper_id])
        != current.chunk_ids(paper.paper_id, "sentence")
    ]


def carried_over(current: PaperIndex | None, papers: set[str], changed: set[str]) -> VectorStore | None:
    """The old vectors without those of removed or changed papers."""
    if current is None:
        return None
    store = current.store
    kept = papers - changed
    store.remove([chunk_id for chunk_id in store.ids() if paper_id_of(chunk_id) not in kept])
    return store


@dataclass(frozen=True, slots=True)
class Embedding:
    """How chunks become vectors: by which model, with a journal in which folder, telling whom."""

    root: Path
    embedder: Embedder
    progress: Progress | None
    sentences: bool

    def add(self, store: VectorStore | None, chunks: Sequence[ChunkWithSentences]) -> VectorStore:
        """Embed what is new, long and short ones apart so that little is padded, and add it."""
        model, sentences = self.embedder.model, self.sentences
        journal = VectorJournal(self.root, self.embedder.checksum) if len(chunks) >= _JOURNAL_FROM else None
        ordered = sorted(chunks, key=lambda chunk: (len(chunk.whole.text), chunk.whole.chunk_id))
        parts = [chunks_in(chunk, sentences=sentences) for chunk in ordered]
        for start in range(0, len(ordered), _READ_AT_ONCE):
            at = slice(start, start + _READ_AT_ONCE)
            rows = np.concatenate(embedded(ordered[at], model, sentences=sentences, journal=journal))
            if store is None:
                store = FaissStore(rows.shape[1], kind=choose_kind(sum(map(len, parts))))
            store.add([chunk.chunk_id for own in parts[at] for chunk in own], rows)
            if self.progress:
                self.progress("embedding", min(at.stop, len(ordered)), len(ordered))
        return FaissStore(len(model.embed_query("dimension"))) if store is None else store


def suited(store: VectorStore) -> VectorStore:
    """The store as its count asks for it: a collection grows from exact search into approximate one."""
    if isinstance(store, FaissStore) and store.kind != choose_kind(len(store)):
        store.become(choose_kind(len(store)))
    return store
