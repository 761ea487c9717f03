"""The stage: papers found for a question, by any LangChain retriever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.retrievers import BaseRetriever

from rag.retrieve.documents import passages_from
from rag.types import Hits, Paper, PaperText


@dataclass(frozen=True, slots=True)
class Retrieval:
    """`prefetch` may embed questions together; `texts` tells papers as they are read."""

    retriever: BaseRetriever
    prefetch: Callable[[Sequence[str]], object]
    texts: Callable[[Sequence[Paper]], Sequence[PaperText]]

    def __call__(self, text: str, k: int) -> Hits:
        """About k passages, best first, with their texts; a drop-in retriever may know no k."""
        passages = tuple(passages_from(self.retriever.invoke(text, k=k)))
        papers = [passage.paper for passage in passages]
        texts = zip(papers, self.texts(papers), strict=True)
        return Hits(passages, {paper.paper_id: own for paper, own in texts})
