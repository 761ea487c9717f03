"""Papers read until one is sure to be the right one: one abstract, twelve, then by the language model.

Every step costs more than the one before it and is taken only while the first paper is in doubt
(docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rag.rerank.cross_encoder import CrossEncoder, is_sure, leads
from rag.rerank.paper_reading import NoSecondLook, PaperReading, first_tells
from rag.text.names import missing_names
from rag.types import AskedQuestion, Hits, Passage, Ranking


@dataclass(frozen=True, slots=True)
class FirstPass:
    """A ranking after as little reading as may do.

    `is_final`: the first paper is sure, or there is nothing else to ask.
    """

    asked: AskedQuestion
    hits: Hits
    ranking: Ranking
    is_final: bool


@dataclass(frozen=True, slots=True)
class EnoughBars:
    """When one paper is enough.

    :param sure_min: how probable the first paper is at least, 0..1.
    :param lead_min: by how much it was found ahead of the next one at least, in units of retrieval's scores:
        where papers were found side by side, several may answer.
    """

    sure_min: float
    lead_min: float


def one_is_enough(question: str, found: Sequence[Passage], ranking: Ranking, bars: EnoughBars) -> bool:
    """The first paper is all but certain, was found well ahead, and holds every name that is asked for.

    :param found: as retrieved.
    """
    if not is_sure(ranking, bars.sure_min):
        return False
    first = ranking.passages[0].paper
    ahead = {p.paper.paper_id: lead for p, lead in zip(found, leads(found), strict=True)}
    return ahead[first.paper_id] >= bars.lead_min and not missing_names(question, first.words)


@dataclass(frozen=True, slots=True)
class RerankCascade:
    """`first_k` of `top_k` papers are read first; where one of them is enough, no more."""

    cross_encoder: CrossEncoder
    second_look: PaperReading | NoSecondLook
    top_k: int
    first_k: int
    bars: EnoughBars

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

    def read_all(self, question: str, hits: Hits) -> Ranking:
        """The passages in a new order, all of them read: for a search, where none is enough."""
        return self.second_look(question, self.cross_encoder.read(question, hits), only_first=False)

    def first_pass(self, asked: AskedQuestion, hits: Hits) -> FirstPass:
        """Read the first few."""
        ranking = self.cross_encoder.read(asked.text, hits, first=self.first_k)
        all_asked = not self.second_look.asks and len(ranking.relevance) == len(hits.passages)
        is_final = not hits.passages or all_asked or self._is_enough(asked, hits, ranking)
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
                only_first=self._is_enough(first.asked, first.hits, ranking),
            )
            if not self.second_look.asks or first_tells(ranking):
                return ranking
        ranking = self.cross_encoder.read_on(question, first.hits, ranking)
        if self._is_enough(first.asked, first.hits, ranking):
            ranking = self.second_look(question, ranking, only_first=True)
            if first_tells(ranking):
                return ranking
        return self.second_look(question, ranking, only_first=False)

    def _is_enough(self, asked: AskedQuestion, hits: Hits, ranking: Ranking) -> bool:
        return one_is_enough(asked.text, hits.passages, ranking, self.bars)


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
        return self.read_all(asked.text, hits)

    def read_all(self, question: str, hits: Hits) -> Ranking:
        """The passages as they came: see `RerankCascade.read_all`."""
        return Ranking(hits.passages, {}, hits.texts)

    def first_pass(self, asked: AskedQuestion, hits: Hits) -> FirstPass:
        """The passages as they came; there is nothing to add."""
        return FirstPass(asked, hits, self(asked, hits), is_final=True)

    def complete(self, first: FirstPass) -> Ranking:
        """See `RerankCascade.complete`."""
        return first.ranking
