"""Papers read until one is sure to be the right one: one abstract, twelve, then by the language model.

Every step costs more than the one before it and is taken only while the first paper is in doubt
(docs/decisions/0014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rag.rerank.cross_encoder import CrossEncoder, is_sure
from rag.rerank.paper_reading import NoSecondLook, PaperReading, first_tells
from rag.text.names import missing_names
from rag.types import OF_SEVERAL_PAPERS, AskedQuestion, Hits, Kind, Ranking


@dataclass(frozen=True, slots=True)
class FirstPass:
    """A ranking after as little reading as may do.

    `is_final`: the first paper is sure, or there is nothing else to ask.
    """

    asked: AskedQuestion
    hits: Hits
    ranking: Ranking
    is_final: bool


def one_is_enough(question: str, kind: Kind, ranking: Ranking, sure_min: float) -> bool:
    """One paper is asked for, the first is all but certain, and no name points to another one."""
    if kind in OF_SEVERAL_PAPERS or not is_sure(ranking, sure_min):
        return False
    return not missing_names(question, ranking.passages[0].paper.words)


@dataclass(frozen=True, slots=True)
class RerankCascade:
    """`first_k` of `top_k` papers are read first; where the best is as probable as `sure_min`, no more."""

    cross_encoder: CrossEncoder
    second_look: PaperReading | NoSecondLook
    top_k: int
    first_k: int
    sure_min: float

    @property
    def evidence_weights(self) -> str:
        """Which weights score sentences: fitted anew where the reader's look decides over the papers."""
        return "evidence_read" if self.second_look.asks else "evidence_reranked"

    @property
    def confidence_weights(self) -> str:
        """Which weights say that the papers answer: where the reader's signals take part, others."""
        return "confidence_read" if self.second_look.asks else "confidence_reranked"

    def depth(self, wanted: int) -> int:
        """How many papers to retrieve so that `wanted` are left."""
        return max(self.top_k, wanted)

    def __call__(self, asked: AskedQuestion, hits: Hits) -> Ranking:
        """The passages in a new order, after all the reading it takes."""
        return self.complete(self.first_pass(asked, hits))

    def first_pass(self, asked: AskedQuestion, hits: Hits) -> FirstPass:
        """Read the first few; all of them, where several papers are asked for."""
        few = None if asked.kind in OF_SEVERAL_PAPERS else self.first_k
        ranking = self.cross_encoder.read(asked.text, hits, first=few)
        all_asked = not self.second_look.asks and len(ranking.relevance) == len(hits.passages)
        is_final = not hits.passages or all_asked or self._is_sure(asked, ranking)
        return FirstPass(asked, hits, ranking, is_final)

    def complete(self, first: FirstPass) -> Ranking:
        """The reader looks at the first paper where it is sure; that is all where it tells; else at a few.

        Before it looks at a few, all are read by the cross-encoder.
        """
        question, ranking = first.asked.text, first.ranking
        if first.is_final:
            ranking = self.second_look(
                question,
                ranking,
                only_first=self._is_sure(first.asked, ranking),
            )
            if not self.second_look.asks or first_tells(ranking):
                return ranking
        ranking = self.cross_encoder.read_on(question, first.hits, ranking)
        if self._is_sure(first.asked, ranking):
            ranking = self.second_look(question, ranking, only_first=True)
            if first_tells(ranking):
                return ranking
        return self.second_look(question, ranking, only_first=False)

    def _is_sure(self, asked: AskedQuestion, ranking: Ranking) -> bool:
        return one_is_enough(asked.text, asked.kind, ranking, self.sure_min)


@dataclass(frozen=True, slots=True)
class RetrievedOrder:
    """No reranker: the order of retrieval stands, and nothing was read."""

    evidence_weights: ClassVar[str] = "evidence"
    confidence_weights: ClassVar[str] = "confidence"

    def depth(self, wanted: int) -> int:
        """See `RerankCascade.depth`."""
        return wanted

    def __call__(self, asked: AskedQuestion, hits: Hits) -> Ranking:
        """The passages as they came."""
        return Ranking(hits.passages, {}, hits.texts)

    def first_pass(self, asked: AskedQuestion, hits: Hits) -> FirstPass:
        """The passages as they came; there is nothing to add."""
        return FirstPass(asked, hits, self(asked, hits), is_final=True)

    def complete(self, first: FirstPass) -> Ranking:
        """See `RerankCascade.complete`."""
        return first.ranking
