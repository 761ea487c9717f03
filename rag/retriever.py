"""From a question to ranked papers: dense, lexical and hybrid, each a LangChain `BaseRetriever`.

Hybrid: the best of both lists are pooled by reciprocal rank fusion, then the pool is ordered by a convex
combination of scores: mean of abstract and best-sentence cosine, plus `lexical_weight` x BM25 share.
Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023; the dev set
agrees (eval/LOG.md): ranks alone throw away how sure each side is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from numpy.typing import NDArray
from pydantic import ConfigDict

from rag.chunking import chunk_spans, chunks_of, paper_id_of, sentence_spans
from rag.fusion import by_score, reciprocal_rank_fusion
from rag.index import PaperIndex
from rag.models.encoder import QueryEncoder
from rag.settings import Settings
from rag.types import Paper, Passage
from vectorstore.base import VectorStoreError

# A paper has about eight chunks: enough hits that the best 50 papers are among them.
_CHUNKS_PER_PAPER = 8
Vector = NDArray[np.float32]


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
        wanted = self.settings.dense_top_k
        query = self.encoder.query(question)
        hits = self.index.store.search(query[None, :], wanted * _CHUNKS_PER_PAPER)[0]
        best: dict[str, float] = {}
        for hit in hits:
            best.setdefault(paper_id_of(hit.id), hit.score)
        return by_score(best)[:wanted]


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
        dense = DenseRetriever(index=self.index, settings=self.settings, encoder=self.encoder)
        lexical = LexicalRetriever(index=self.index, settings=self.settings)
        fused = reciprocal_rank_fusion(
            [[paper_id for paper_id, _ in side.rank(question)] for side in (dense, lexical)],
            k0=self.settings.rrf_k0,
        )
        pool = [paper_id for paper_id, _ in fused][: self.settings.dense_top_k]
        cosines = paper_cosines(self.index, self.encoder, question, pool)
        shares = dict(self.index.lexical.search(question, len(self.index)))
        return by_score(
            {
                paper_id: cosines[paper_id] + self.settings.lexical_weight * shares.get(paper_id, 0)
                for paper_id in pool
            }
        )


def paper_cosines(
    index: PaperIndex, encoder: QueryEncoder, question: str, paper_ids: Sequence[str]
) -> dict[str, float]:
    """Mean of the best abstract-chunk cosine and the best sentence cosine, per paper.

    Where the index holds no sentence vectors the abstract's cosine stands alone.
    """
    query = encoder.query(question)
    papers = index.papers(paper_ids)
    views = [_cosines(index, query, papers, "abstract")]
    if "sentence" in index.manifest.views:
        views.append(_cosines(index, query, papers, "sentence"))
    return {
        paper.paper_id: float(np.mean([view[i].max(initial=0.0) for view in views]))
        for i, paper in enumerate(papers)
    }


def sentence_cosines(
    index: PaperIndex, encoder: QueryEncoder, question: str, papers: Sequence[Paper]
) -> list[Vector]:
    """Cosine of the question with each sentence (title before it), per paper, in sentence order."""
    query = encoder.query(question)
    if "sentence" in index.manifest.views:
        try:
            return _cosines(index, query, papers, "sentence")
        except VectorStoreError:  # papers of a drop-in retriever, not of this index
            pass
    chunks = [list(chunks_of(paper, ("sentence",))) for paper in papers]
    texts = [chunk.text for row in chunks for chunk in row]
    if not texts:
        return [np.zeros(0, dtype=np.float32) for _ in papers]
    return _split(encoder.passages(texts) @ query, [len(row) for row in chunks])


def _cosines(index: PaperIndex, query: Vector, papers: Sequence[Paper], view: str) -> list[Vector]:
    """Cosines with the stored vectors of one view, per paper."""
    spans_of = sentence_spans if view == "sentence" else chunk_spans
    ids = [[f"{p.paper_id}#{view[0]}{start}" for start, _ in spans_of(p.abstract)] for p in papers]
    flat = [chunk_id for row in ids for chunk_id in row]
    if not flat:
        return [np.zeros(0, dtype=np.float32) for _ in papers]
    return _split(index.store.vectors(flat) @ query, [len(row) for row in ids])


def _split(values: Vector, lengths: Iterable[int]) -> list[Vector]:
    return np.split(values, np.cumsum(list(lengths))[:-1])


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
