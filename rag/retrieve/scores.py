"""How near papers and sentences are to a question, from the stored vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.chunking import chunks_with_sentences, paper_id_of
from rag.index.chunks import View
from rag.index.paper_index import PaperIndex
from rag.index.query_encoder import QueryEncoder
from rag.retrieve.fusion import by_score
from rag.text.sentences import sentence_spans
from rag.types import Paper
from vectorstore.base import VectorStoreError

# At most so many hits are asked for per paper wanted: with sentence vectors a paper has eight and more.
_CHUNKS_PER_PAPER = 8
Vector = NDArray[np.float32]
_NONE: Vector = np.zeros(0, dtype=np.float32)


def dense_ranking(
    index: PaperIndex, encoder: QueryEncoder, question: str, wanted: int
) -> list[tuple[str, float]]:
    """The papers whose best chunk is nearest to the question."""
    query = encoder.query(question)
    each = min(_CHUNKS_PER_PAPER, -(-len(index.store) // max(len(index), 1)))
    hits = index.store.search(query[None, :], wanted * max(each, 1))[0]
    best: dict[str, float] = {}
    for hit in hits:
        best.setdefault(paper_id_of(hit.id), hit.score)
    return by_score(best)[:wanted]


def paper_cosines(
    index: PaperIndex, encoder: QueryEncoder, question: str, paper_ids: Sequence[str]
) -> dict[str, float]:
    """Mean of the best abstract-chunk cosine and the best sentence cosine, per paper of the index.

    Where the index holds no sentence vectors the abstract's cosine stands alone.
    """
    query = encoder.query(question)
    views: list[View] = ["abstract"]
    if "sentence" in index.manifest.views:
        views.append("sentence")
    best = np.zeros((len(views), len(paper_ids)), dtype=np.float32)
    for row, view in zip(best, views, strict=True):
        ids = [index.chunk_ids(paper_id, view) for paper_id in paper_ids]
        flat = [chunk_id for own in ids for chunk_id in own]
        if flat:
            owners = np.repeat(np.arange(len(ids)), [len(own) for own in ids])
            np.maximum.at(row, owners, index.store.vectors(flat) @ query)
    return dict(zip(paper_ids, best.mean(axis=0).tolist(), strict=True))


def sentence_cosines(
    index: PaperIndex, encoder: QueryEncoder, question: str, papers: Sequence[Paper]
) -> list[Vector]:
    """Cosine of the question with each sentence (title before it), per paper, in sentence order."""
    query = encoder.query(question)
    if "sentence" in index.manifest.views:
        try:
            return _stored_cosines(index, query, papers)
        except VectorStoreError:  # papers of a drop-in retriever, not of this index
            pass
    readings = [chunks_with_sentences(paper) for paper in papers]
    rows = iter(encoder.readings([reading for own in readings for reading in own]))
    return [np.concatenate([_NONE, *(next(rows)[1:] @ query for _ in own)]) for own in readings]


def _stored_cosines(index: PaperIndex, query: Vector, papers: Sequence[Paper]) -> list[Vector]:
    """Cosines with the stored vectors of the sentences, per paper, in sentence order."""
    ids = [[f"{p.paper_id}#s{start}" for start, _ in sentence_spans(p.abstract)] for p in papers]
    flat = [chunk_id for row in ids for chunk_id in row]
    if not flat:
        return [_NONE for _ in papers]
    return np.split(index.store.vectors(flat) @ query, np.cumsum([len(row) for row in ids])[:-1])
