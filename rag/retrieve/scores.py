"""How near papers and sentences are to a question, from the stored vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.chunking import chunks_with_sentences
from rag.index.chunks import View, paper_id_of, sentence_ids
from rag.index.paper_index import PaperIndex
from rag.index.query_encoder import QueryEncoder
from rag.retrieve.fusion import by_score
from rag.types import Paper, PaperText

# At most so many hits are asked for per paper wanted: with sentence vectors a paper has eight and more.
_CHUNKS_PER_PAPER = 8
Vector = NDArray[np.float32]
_NONE: Vector = np.zeros(0, dtype=np.float32)


def dense_ranking(
    index: PaperIndex, encoder: QueryEncoder, question: str, wanted: int
) -> list[tuple[str, float]]:
    """The papers whose best chunk is nearest to the question.

    :returns: at most `wanted` (paper id, cosine in -1..1), highest first, ties by id.
    """
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

    :returns: by id, 0..1: what is unlike the question counts as 0, and so does a paper without vectors.
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
    index: PaperIndex,
    encoder: QueryEncoder,
    question: str,
    papers: Sequence[Paper],
    texts: Sequence[PaperText],
) -> list[Vector]:
    """Cosine of the question with each sentence (title before it), a row a paper, in sentence order.

    Stored vectors are used where the index has them: it keeps none of a large collection's sentences, nor of
    papers that a drop-in retriever brings. Those are embedded now.

    :param texts: of the papers, in their order.
    :raises IndexCorrupt: if vectors are missing that the index should hold.
    """
    query = encoder.query(question)
    ids = [_stored_ids(index, paper, text) for paper, text in zip(papers, texts, strict=True)]
    stored = iter(_stored(index, query, [own for own in ids if own is not None]))
    unstored = [pair for pair, own in zip(zip(papers, texts, strict=True), ids, strict=True) if own is None]
    embedded = iter(_embedded(encoder, query, unstored))
    return [next(embedded) if own is None else next(stored) for own in ids]


def _stored_ids(index: PaperIndex, paper: Paper, text: PaperText) -> list[str] | None:
    """The ids of its sentences' vectors; None where the index is not meant to have them."""
    if "sentence" not in index.manifest.views:
        return None
    ids = sentence_ids(paper.paper_id, text)
    if set(ids) <= set(index.chunk_ids(paper.paper_id, "sentence")):
        return ids
    index.check_foreign(paper)
    return None


def _stored(index: PaperIndex, query: Vector, ids: Sequence[Sequence[str]]) -> list[Vector]:
    """Cosines with vectors of the index, a row a paper."""
    flat = [chunk_id for own in ids for chunk_id in own]
    if not flat:
        return [_NONE for _ in ids]
    return np.split(index.store.vectors(flat) @ query, np.cumsum([len(own) for own in ids])[:-1])


def _embedded(
    encoder: QueryEncoder, query: Vector, papers: Sequence[tuple[Paper, PaperText]]
) -> list[Vector]:
    """Cosines with sentences that are embedded now."""
    chunks = [chunks_with_sentences(paper, text) for paper, text in papers]
    rows = iter(encoder.chunks([chunk for own in chunks for chunk in own]))
    return [np.concatenate([_NONE, *(next(rows)[1:] @ query for _ in own)]) for own in chunks]
