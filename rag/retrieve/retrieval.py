"""The stage: papers found for a question, by any LangChain retriever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.retrievers import BaseRetriever

from rag.retrieve.documents import passages_from
from rag.types import Passage


@dataclass(frozen=True, slots=True)
class Retrieval:
    """`prefetch` may embed questions together that will be asked one by one."""

    retriever: BaseRetriever
    prefetch: Callable[[Sequence[str]], object]

    def __call__(self, text: str, k: int) -> tuple[Passage, ...]:
        """About k passages, best first; a drop-in retriever may know no k."""
        return tuple(passages_from(self.retriever.invoke(text, k=k)))
