"""A question before anything is written: condensed, papers retrieved and ranked, evidence selected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.pipeline.compose import abstain
from rag.pipeline.stages import Stages, traced
from rag.query.sanitise import is_blank
from rag.rerank.cascade import FirstPass
from rag.types import AbstentionReason, AskedQuestion, Hits, Passage, PreparedQuestion, Question, Ranking


@dataclass(frozen=True, slots=True)
class BegunQuestion:
    """A question after a first look at its papers; `seconds` is what that took."""

    asked: AskedQuestion
    first: FirstPass
    seconds: float


@dataclass(frozen=True, slots=True)
class Preparation:
    """The first four stages, with what is refused between them.

    :param papers_count: of the collection; an empty one is refused before anything is searched.
    :param passages_top_k: papers an answer may draw on, and that it names as found.
    :param answerable_min: the least probability, 0..1, that the collection answers; else nothing is written.
    """

    stages: Stages
    papers_count: int
    passages_top_k: int
    answerable_min: float

    def one(self, question: Question) -> PreparedQuestion:
        """Evidence to draft from, or the reason to abstain."""
        return self.complete(self.begin(*self._asked(question)))

    @traced("retrieve")
    def together(self, questions: Sequence[Question]) -> list[PreparedQuestion]:
        """All of them; their vectors are computed in one go."""
        asked = [self._asked(question) for question in questions]
        self.stages.retrieve.prefetch([one.text for one, _ in asked])
        return [self.complete(self.begin(*one)) for one in asked]

    @traced("retrieve")
    def at_first(self, question: Question) -> tuple[BegunQuestion, PreparedQuestion | None]:
        """The question after a first look, and what it comes to if that settles it."""
        begun = self.begin(*self._asked(question))
        return begun, self.complete(begun) if begun.first.is_final else None

    @traced("read")
    def read_on(self, begun: BegunQuestion) -> PreparedQuestion:
        """What it comes to after all the reading it takes."""
        return self.complete(begun)

    def _asked(self, question: Question) -> tuple[AskedQuestion, float]:
        """Condense; and the seconds it took."""
        began = time.perf_counter()
        return self.stages.condense(question), time.perf_counter() - began

    def begin(self, asked: AskedQuestion, seconds: float = 0.0) -> BegunQuestion:
        """Retrieve, and read as little as may do. `seconds`: what was spent on the question before."""
        began = time.perf_counter()
        hits = Hits()
        if self._refusal(asked) is None:
            hits = self.stages.retrieve(asked.text, self.stages.rerank.depth(self.passages_top_k))
        first = self.stages.rerank.first_pass(asked, hits)
        return BegunQuestion(asked, first, seconds + time.perf_counter() - began)

    def complete(self, begun: BegunQuestion) -> PreparedQuestion:
        """Rerank to the end, and select."""
        began = time.perf_counter()
        prepared = self._selected(begun.asked, self.stages.rerank.complete(begun.first))
        return replace(prepared, retrieve_s=begun.seconds + time.perf_counter() - began)

    def provisional(self, begun: BegunQuestion) -> PreparedQuestion:
        """What it comes to if reading on changes nothing."""
        return self._selected(begun.asked, begun.first.ranking)

    def _selected(self, asked: AskedQuestion, ranking: Ranking) -> PreparedQuestion:
        if refusal := self._refusal(asked):
            return _refused(asked, (), refusal)
        ranking = ranking.first(self.passages_top_k)
        evidence = self.stages.select(asked, ranking)
        if not evidence.sentences:
            return _refused(asked, ranking.passages, "no_evidence")
        if evidence.answerable < self.answerable_min:
            return _refused(asked, ranking.passages, "low_confidence", evidence.answerable)
        return PreparedQuestion(
            asked.question,
            asked.text,
            evidence.kind,
            ranking.passages,
            evidence.sentences,
            evidence.answerable,
            texts=ranking.texts,
            readings=ranking.relevance,
        )

    def _refusal(self, asked: AskedQuestion) -> AbstentionReason | None:
        """What makes it pointless to search."""
        if is_blank(asked.text):
            return "empty_question"
        return None if self.papers_count else "empty_collection"


def _refused(
    asked: AskedQuestion,
    passages: tuple[Passage, ...],
    reason: AbstentionReason,
    confidence: float = 0.0,
) -> PreparedQuestion:
    refusal = abstain(reason, passages)
    return PreparedQuestion(asked.question, asked.text, asked.kind, passages, (), confidence, refusal)
