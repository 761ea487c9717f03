"""Papers for a question, read until one is sure to be the right one: retrieved, read, and doubted once more.

Every step costs more than the one before it and is gone only as long as the first paper is in doubt
(docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.retrievers import BaseRetriever

from rag.models.logistic import LogisticModel
from rag.models.reranker import Relevance, Reranker
from rag.rerank.cross_encoder import Ranking, first, is_sure, ranked, read, read_on
from rag.rerank.query_likelihood import QuestionModel, by_likelihood, with_likelihoods
from rag.retrieve.documents import passages_from
from rag.settings import Settings
from rag.types import Passage


@dataclass(frozen=True, slots=True)
class FirstPass:
    """Papers after a first look: `passages` as retrieved, `found` with a few of them read.

    `settled`: the first paper is sure, or there is nothing else to ask.
    """

    text: str
    wanted: int
    passages: tuple[Passage, ...] = ()
    found: Ranking = field(default_factory=lambda: Ranking((), {}))
    settled: bool = True


@dataclass(frozen=True, slots=True)
class RerankCascade:
    """Finds papers with the parts it is given; without a reranker the order is the retriever's."""

    retriever: BaseRetriever
    reranker: Reranker | None
    paper_model: LogisticModel
    question_model: QuestionModel | None
    likelihood_model: LogisticModel
    settings: Settings

    def glance(self, text: str, wanted: int, *, few: int | None) -> FirstPass:
        """Retrieve at least `wanted` papers and read the first few; all of them, where it is None."""
        if self.reranker is None:
            passages = tuple(passages_from(self.retriever.invoke(text, k=wanted))[:wanted])
            return FirstPass(text, wanted, passages, Ranking(passages, {}))
        depth = max(self.settings.rerank_top_k, wanted)
        passages = tuple(passages_from(self.retriever.invoke(text, k=depth)))
        found = ranked(passages, self._readings(text, passages[:few]), self.paper_model)
        asked_all = self.question_model is None and len(found.readings) == len(passages)
        return FirstPass(text, wanted, passages, found, not passages or asked_all or self._is_sure(found))

    def guess(self, seen: FirstPass) -> Ranking:
        """The papers wanted, if reading on would change nothing."""
        return first(seen.found, seen.wanted)

    def finish(self, seen: FirstPass) -> Ranking:
        """The papers wanted, after all the reading it takes."""
        return first(seen.found if seen.settled else self._doubted(seen), seen.wanted)

    def _doubted(self, seen: FirstPass) -> Ranking:
        """All read; still not sure, and the question model is asked."""
        found = read_on(
            seen.passages, seen.found, lambda part: self._readings(seen.text, part), self.paper_model
        )
        if self.question_model is None or self._is_sure(found):
            return found
        top_k, whole = self.settings.likelihood_top_k, self.settings.read_ahead_mb > 0
        found = with_likelihoods(seen.text, found, self.question_model, top_k, whole=whole)
        return by_likelihood(found, self.likelihood_model)

    def _readings(self, text: str, passages: Sequence[Passage]) -> list[Relevance]:
        assert self.reranker is not None
        return read(text, passages, self.reranker)

    def _is_sure(self, found: Ranking) -> bool:
        return is_sure(found, self.settings.sure_min)
