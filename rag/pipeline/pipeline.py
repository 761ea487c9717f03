"""FLOW 1, a question: preparation, draft, conclusion.

Every door goes the same way; streaming and batches differ only in how the drafts are made. Knows the ports
(retriever, generator, verifier), not which classes stand behind them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda

from rag.generate.drafts import Drafts, write_together
from rag.generate.prompt import draft_messages, reader_messages
from rag.pipeline.answer_cache import AnswerMemory
from rag.pipeline.conclude import Concluding, conclude, evidence_of_drafts
from rag.pipeline.prepare import Glance, Ports, Preparation, PreparedQuestion
from rag.settings import Settings
from rag.types import Answer, DraftToken, Event, Finished, Passage, Question, StageStarted, Timings

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Pipeline:
    """One question's way to an `Answer`. Holds no state between questions but the answers in `memory`."""

    def __init__(
        self, ports: Ports, settings: Settings, fingerprint: str, memory: AnswerMemory | None = None
    ) -> None:
        self._ports = ports
        self._memory = AnswerMemory(0) if memory is None else memory  # an empty one is falsy
        self._settings = settings
        self._preparation = Preparation(ports, settings)
        self.fingerprint = fingerprint

    @property
    def ports(self) -> Ports:
        """The parts behind the answers, to be measured one by one."""
        return self._ports

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in order; all drafts of new questions are generated together."""
        known = [self._memory.recall(self.fingerprint, question) for question in questions]
        new = iter(self._answered([q for q, found in zip(questions, known, strict=True) if found is None]))
        return [found or next(new) for found in known]

    def _answered(self, questions: Sequence[Question]) -> list[Answer]:
        if not questions:
            return []
        prepared = _stage("retrieve", self._preparation.together, questions)
        conversations = [self.conversations(item) for item in prepared]
        began = time.perf_counter()
        generator = self._ports.generator
        waiting = [conversation for row in conversations for conversation in row]
        drafts = iter(write_together(generator, waiting) if generator else ())
        drafted = sum(bool(row) for row in conversations)
        share = (time.perf_counter() - began) / max(drafted, 1)
        return [
            self._finish(item, [next(drafts) for _ in row], Timings(generate_s=share if row else 0.0))
            for item, row in zip(prepared, conversations, strict=True)
        ]

    def stream(self, question: Question) -> Iterator[Event]:
        """The same answer with its stages and its draft on the way; `Finished` comes last.

        Where the first paper is not sure, it is drafted from while the others are still to be read: mostly it
        stays the first, and the draft is the one that is wanted. Else another is begun: `writing` once more.
        """
        began = time.perf_counter()
        yield StageStarted("searching", 0.0)
        if known := self._memory.recall(self.fingerprint, question):
            yield Finished(known)
            return
        drafts = Drafts(self._ports.generator)
        glance, prepared = _stage("retrieve", self._looked, question)
        if prepared is None:
            yield from _written(drafts, self.guesses(glance), began)
        yield StageStarted("reading", time.perf_counter() - began)
        if prepared is None:
            prepared = _stage("read", self._preparation.settled, glance)
        conversations = self.conversations(prepared)
        yield from _written(drafts, conversations, began)
        yield StageStarted("checking", time.perf_counter() - began)
        first = drafts.begun(conversations)
        timings = Timings(first_token_s=first - began if first else 0.0, generate_s=drafts.seconds)
        yield Finished(self._finish(prepared, drafts.of(conversations), timings))

    def _looked(self, question: Question) -> tuple[Glance, PreparedQuestion | None]:
        """The question after a first look, and what it comes to if that settles it."""
        glance = self._preparation.glance(question)
        return glance, self._preparation.settled(glance) if glance.seen.settled else None

    def search(self, query: str, k: int) -> list[Passage]:
        """The k papers that fit a query best."""
        return list(self._preparation.find(query, k).passages)

    def conversations(self, prepared: PreparedQuestion) -> list[list[BaseMessage]]:
        """What the generator is asked: one conversation, or one per paper; none when quotes will do."""
        quotes_will_do = prepared.abstention or self._settings.strict or prepared.kind == "find"
        if quotes_will_do or self._ports.generator is None:
            return []
        ask = reader_messages if self._ports.reader_asked else draft_messages
        parts = evidence_of_drafts(prepared, gap_max=self._settings.draft_gap_max)
        return [ask(prepared.standalone, part) for part in parts]

    def guesses(self, glance: Glance) -> list[list[BaseMessage]]:
        """What the generator will probably be asked, of a question with more to be read: of a fact only."""
        if self._ports.generator is None or self._settings.strict or glance.kind != "fact":
            return []
        prepared = self._preparation.guessed(glance)
        return self.conversations(prepared) if prepared.kind == "fact" else []

    def _finish(self, prepared: PreparedQuestion, drafts: Sequence[str], timings: Timings) -> Answer:
        """Conclude, and stamp the answer with id, fingerprint and times."""
        began = time.perf_counter()
        ports = self._ports
        given = Concluding(ports.verifier, self._settings, ports.final_model, ports.reader_asked)
        answer = _stage("verify", lambda drafted: conclude(prepared, drafted, given), drafts)
        verify_s = time.perf_counter() - began
        answer = replace(
            answer,
            id=prepared.question.id,
            fingerprint=self.fingerprint,
            timings=replace(
                timings,
                retrieve_s=prepared.retrieve_s,
                verify_s=verify_s,
                total_s=prepared.retrieve_s + timings.generate_s + verify_s,
            ),
        )
        self._memory.keep(self.fingerprint, prepared.question, answer)
        return answer


def _written(drafts: Drafts, conversations: list[list[BaseMessage]], began: float) -> Iterator[Event]:
    """Write what is missing of these: a stage and its pieces, where there is any."""
    if not drafts.holds(conversations):
        yield StageStarted("writing", time.perf_counter() - began)
        yield from map(DraftToken, drafts.write(conversations))


def asks_reader(generator: BaseChatModel | None, settings: Settings) -> bool:
    """Whether drafts are written, and by the reader trained for this job: see `Ports.reader_asked`."""
    return bool(getattr(generator, "trained", False)) and not settings.strict


def _stage(name: str, make: Callable[[_Given], _Made], given: _Given) -> _Made:
    """Make something as a LangChain run of this name: callbacks and tracing of any chain around us see it."""
    return RunnableLambda(make, name=name).invoke(given)
