"""From a question to ranked papers: dense (FAISS), lexical (BM25), hybrid, each LangChain's `BaseRetriever`.

Hybrid: the best of both lists are pooled by reciprocal rank fusion, then the pool is ordered by a convex
combination of scores: mean of abstract and best-sentence cosine, plus `lexical_weight` x BM25 share.
Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023; the dev set
agrees (eval/LOG.md): ranks alone throw away how sure each side is.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.index.paper_index import PaperIndex
from rag.index.query_encoder import QueryEncoder
from rag.retrieve.documents import document_of
from rag.retrieve.fusion import by_score, reciprocal_rank_fusion
from rag.retrieve.scores import dense_ranking, paper_cosines
from rag.settings import Settings
from rag.types import Passage


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
