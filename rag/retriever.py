"""From a question to ranked papers: dense, lexical and hybrid, each a LangChain `BaseRetriever`.

Hybrid: the best of both lists are pooled by reciprocal rank fusion, then the pool is ordered by a convex
combination of scores: mean of abstract and best-sentence cosine, plus `lexical_weight` x BM25 share.
Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023; the dev set
agrees (eval/LOG.md): ranks alone throw away how sure each side is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from numpy.typing import NDArray
from pydantic import ConfigDict

from rag.chunking import paper_id_of, readings_of, sentence_spans
from rag.fusion import by_score, reciprocal_rank_fusion
from rag.index import PaperIndex
from rag.models.encoder import QueryEncoder
from rag.settings import Settings
from rag.types import Paper, Passage, View
from vectorstore.base import VectorStoreError

# At most so many hits are asked for per paper wanted: with sentence vectors a paper has eight and more.
_CHUNKS_PER_PAPER = 8
Vector = NDArray[np.float32]
_NONE: Vector = np.zeros(0, dtype=np.float32)


class PaperRetriever(BaseRetriever):
    """Ranks papers for a question. Subclasses decide how; documents are whole abstracts with metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: PaperIndex
    settings: Settings

    def rank(self, question: str) -> list[tuple[str, float]]:
        """(paper id, score), best first, ties by id. Higher is better."""
        raise NotImplementedError

    def passages(self, question: str, k: int | None = None) -> list[Passage]:
        """The k best papers (default `passages_top_k`)."""
        ranked = self.rank(question)[: k or self.settings.passages_top_k]
        scores = dict(ranked)
        papers = self.index.papers([paper_id for paper_id, _ in ranked])
        return [Passage(p, rank, scores[p.paper_id]) for rank, p in enumerate(papers, start=1)]

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> list[Document]:
        return [document_of(passage) for passage in self.passages(query, kwargs.get("k"))]


class DenseRetriever(PaperRetriever):
    """Cosine between question and title + chunk; a paper counts by its best chunk."""

    encoder: QueryEncoder

    def rank(self, question: str) -> list[tuple[str, float]]:
        """See `PaperRetriever.rank`."""
        return dense_ranking(self.index, self.encoder, question, self.settings.dense_top_k)


class LexicalRetriever(PaperRetriever):
    """BM25 over title and abstract."""

    def rank(self, question: str) -> list[tuple[str, float]]:
        """See `PaperRetriever.rank`."""
        return self.index.lexical.search(question, self.settings.lexical_top_k)


class HybridRetriever(PaperRetriever):
    """Dense and lexical candidates, fused, then ordered by the weighted sum of both scores."""

    encoder: QueryEncoder

    def rank(self, question: str) -> list[tuple[str, float]]:
        """See `PaperRetriever.rank`. Scores lie in about [0, 1 + lexical_weight]."""
        known = self.settings
        scores = self.index.lexical.scores(question)
        lexical = self.index.lexical.best(scores, known.lexical_top_k)
        dense = dense_ranking(self.index, self.encoder, question, known.dense_top_k)
        fused = reciprocal_rank_fusion(
            [[paper_id for paper_id, _ in side] for side in (dense, lexical)], k0=known.rrf_k0
        )
        pool = [paper_id for paper_id, _ in fused][: known.dense_top_k]
        cosines = paper_cosines(self.index, self.encoder, question, pool)
        shares = self.index.lexical.scores_of(scores, pool)
        return by_score({i: cosines[i] + known.lexical_weight * shares.get(i, 0) for i in pool})


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
    readings = [readings_of(paper) for paper in papers]
    rows = iter(encoder.readings([reading for own in readings for reading in own]))
    return [np.concatenate([_NONE, *(next(rows)[1:] @ query for _ in own)]) for own in readings]


def _stored_cosines(index: PaperIndex, query: Vector, papers: Sequence[Paper]) -> list[Vector]:
    """Cosines with the stored vectors of the sentences, per paper, in sentence order."""
    ids = [[f"{p.paper_id}#s{start}" for start, _ in sentence_spans(p.abstract)] for p in papers]
    flat = [chunk_id for row in ids for chunk_id in row]
    if not flat:
        return [_NONE for _ in papers]
    return np.split(index.store.vectors(flat) @ query, np.cumsum([len(row) for row in ids])[:-1])


def document_of(passage: Passage) -> Document:
    """A passage as LangChain's document: the abstract, with id, title, rank and score."""
    paper = passage.paper
    return Document(
        id=paper.paper_id,
        page_content=paper.abstract,
        metadata={
            "paper_id": paper.paper_id,
            "title": paper.title,
            "year": paper.year,
            "url": paper.url,
            "rank": passage.rank,
            "score": passage.score,
        },
    )


def passages_from(documents: Sequence[Document]) -> list[Passage]:
    """Documents of any LangChain retriever as passages; title and id fall back to what there is."""
    found = []
    for rank, document in enumerate(documents, start=1):
        known = document.metadata
        title = str(known.get("title") or known.get("source") or f"Document {rank}")
        paper = Paper(
            paper_id=str(known.get("paper_id") or document.id or f"document-{rank}"),
            title=title,
            abstract=document.page_content,
            year=known.get("year"),
            url=known.get("url"),
        )
        found.append(Passage(paper, rank, float(known.get("score") or 1.0 / rank)))
    return found
