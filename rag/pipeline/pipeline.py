"""FLOW 1, a question: condense, retrieve, rerank, select, generate, verify, conclude.

The first four calls are in `prepare`, the other three here. Every door goes the same way; streaming
(`speculate`) and batches differ only in how the drafts are made. Knows the stages, not which parts they have:
which model stands behind which Protocol is said in `assemble`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.pipeline.answer_cache import AnswerMemory
from rag.pipeline.prepare import Preparation
from rag.pipeline.speculate import WrittenDrafts, written_ahead
from rag.pipeline.stages import Stages, traced
from rag.text.marks import display
from rag.types import (
    Answer,
    Draft,
    Event,
    Finding,
    Finished,
    Passage,
    PreparedQuestion,
    Question,
    Sentence,
    StageStarted,
    Timings,
)
from rag.verify.grounding import Grounded, by_paper

_SEVERAL = 2  # papers, of which a summary is worth having


class Pipeline:
    """One question's way to an `Answer`. Holds no state between questions but the answers in `memory`."""

    def __init__(
        self, preparation: Preparation, fingerprint: str, memory: AnswerMemory | None = None
    ) -> None:
        self.fingerprint = fingerprint
        self._preparation = preparation
        self._memory = AnswerMemory(0) if memory is None else memory  # an empty one is falsy

    @property
    def preparation(self) -> Preparation:
        """The first four stages together, to be measured."""
        return self._preparation

    @property
    def stages(self) -> Stages:
        """The stages behind the answers, to be measured one by one."""
        return self._preparation.stages

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in order; all drafts of new questions are generated together."""
        known = [self._memory.recall(self.fingerprint, question) for question in questions]
        new = iter(self._answered([q for q, found in zip(questions, known, strict=True) if found is None]))
        return [found or next(new) for found in known]

    def _answered(self, questions: Sequence[Question]) -> list[Answer]:
        if not questions:
            return []
        prepared = self._preparation.together(questions)
        requests = [self.stages.generate.requests(item) for item in prepared]
        began = time.perf_counter()
        drafts = iter(self.stages.generate.together([one for row in requests for one in row]))
        drafted = sum(bool(row) for row in requests)
        share = (time.perf_counter() - began) / max(drafted, 1)
        return [
            self._finished(item, [next(drafts) for _ in row], Timings(generate_s=share if row else 0.0))
            for item, row in zip(prepared, requests, strict=True)
        ]

    def stream(self, question: Question) -> Iterator[Event]:
        """The same answer with its stages and its draft on the way; `Finished` comes last."""
        began = time.perf_counter()
        yield StageStarted("searching", 0.0)
        if known := self._memory.recall(self.fingerprint, question):
            yield Finished(known)
            return
        drafts = WrittenDrafts(self.stages.generate, began)
        prepared = yield from written_ahead(self._preparation, drafts, question)
        requests = self.stages.generate.requests(prepared)
        yield from drafts.events(requests)
        yield StageStarted("checking", time.perf_counter() - began)
        timings = Timings(first_token_s=drafts.first_token_s(requests), generate_s=drafts.seconds)
        yield Finished(self._finished(prepared, drafts.of(requests), timings))

    def search(self, query: str, k: int) -> list[Passage]:
        """The k papers that fit a query best; all that were found are read."""
        hits = self.stages.retrieve(query, self.stages.rerank.depth(k))
        return list(self.stages.rerank.read_all(query, hits).first(k).passages)

    def _finished(self, prepared: PreparedQuestion, drafts: Sequence[Draft], timings: Timings) -> Answer:
        """Verify, sum up and conclude; the answer is stamped with id, fingerprint and times."""
        began = time.perf_counter()
        checked = self._verified(prepared, drafts)
        verified = time.perf_counter()
        summary = self._summary(prepared, checked)
        summed_up = time.perf_counter()
        answer = self.stages.conclude(prepared, drafts, checked, summary)
        verify_s = verified - began + time.perf_counter() - summed_up
        generate_s = timings.generate_s + summed_up - verified
        answer = replace(
            answer,
            id=prepared.question.id,
            fingerprint=self.fingerprint,
            timings=replace(
                timings,
                retrieve_s=prepared.retrieve_s,
                generate_s=generate_s,
                verify_s=verify_s,
                total_s=prepared.retrieve_s + generate_s + verify_s,
            ),
        )
        self._memory.keep(self.fingerprint, prepared.question, answer)
        return answer

    @traced("verify")
    def _verified(self, prepared: PreparedQuestion, drafts: Sequence[Draft]) -> list[Grounded]:
        return self.stages.verify(prepared.standalone, drafts)

    def _summary(self, prepared: PreparedQuestion, checked: Sequence[Grounded]) -> list[Sentence]:
        """What several papers say together, checked; nothing of one paper."""
        findings = findings_of(prepared, checked)
        return self._summed_up(prepared, findings) if len(findings) >= _SEVERAL else []

    @traced("sum up")
    def _summed_up(self, prepared: PreparedQuestion, findings: Sequence[Finding]) -> list[Sentence]:
        told = [(one.title, one.text) for one in findings]
        [text] = self.stages.generate.summaries([(prepared.standalone, told)])
        return self.stages.verify.summary(prepared.standalone, text, findings)


def findings_of(prepared: PreparedQuestion, checked: Sequence[Grounded]) -> list[Finding]:
    """What stood, a paper each."""
    titles = {item.key: display(item.paper.title) for item in prepared.evidence}
    told = by_paper(checked).items()
    return [Finding(key, titles[key], " ".join(one.text for one in kept)) for key, kept in sorted(told)]
