"""What was said in one browser tab, and the question being answered in it.

An exchange is rendered once, when it ends; the page shows the joined pieces. Knows no disk: see
`conversation_store`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rag.types import Answer, DraftToken, Event, Failure, Finished, StageStarted, Turn

EXCHANGES_KEPT = 40
EXCHANGES_REMEMBERED = 10
TITLE_CHARS_MAX = 80

STOPPED = Failure(
    "Stopped",
    "You stopped this question before its answer was checked.",
    "The draft was discarded. Ask again, or ask something else.",
)


@dataclass(slots=True, eq=False)
class Pending:
    """A question on its way: the stages it went through and the draft as far as it is written."""

    question: str
    waiting: str = ""
    stages: list[StageStarted] = field(default_factory=list)
    draft: str = ""
    answer: Answer | None = None
    began: float = field(default_factory=time.monotonic)

    def take(self, event: Event) -> None:
        """Follow one event of the stream."""
        if isinstance(event, StageStarted):
            if not self.stages:
                self.began = time.monotonic()
            self.waiting = ""
            self.stages.append(event)
            if event.stage == "writing":
                self.draft = ""  # what was written before other papers were read is not wanted
        elif isinstance(event, DraftToken):
            self.draft += event.text
        elif isinstance(event, Finished):
            self.answer = event.answer

    def seconds(self) -> list[tuple[str, float]]:
        """Each stage so far with its seconds; the last one is still running."""
        ends = [stage.at_s for stage in self.stages[1:]] + [time.monotonic() - self.began]
        pairs = zip(self.stages, ends, strict=True) if self.stages else ()
        return [(stage.stage, max(end - stage.at_s, 0.0)) for stage, end in pairs]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, or with the reason why there is none; and what the person made of it."""

    number: int
    question: str
    answer: Answer | None
    failure: Failure | None = None
    verdict: str = ""


@dataclass(slots=True, eq=False)
class Conversation:
    """The exchanges of one tab, oldest first. `rendered` holds each of them as the page shows it.

    `owner` is the browser's own key, `key` names this conversation among those of its owner.
    """

    owner: str = ""
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    title: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    rendered: list[str] = field(default_factory=list)
    pending: Pending | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    leaving: Conversation | None = None
    asked: int = 0

    def begin(self, question: str) -> Pending:
        """Start answering a question."""
        self.stopping.clear()
        self.asked += 1
        self.pending = Pending(question)
        return self.pending

    def end(self, answer: Answer | None, failure: Failure | None = None) -> Exchange:
        """The pending question is over: keep what came of it."""
        assert self.pending is not None
        exchange = Exchange(self.asked, self.pending.question, answer, failure)
        self.pending = None
        self.exchanges = [*self.exchanges, exchange][-EXCHANGES_KEPT:]
        self.title = self.title or title_of(exchange.question)
        return exchange

    def keep(self, text: str) -> None:
        """Put a rendered exchange behind the others."""
        self.rendered = [*self.rendered, text][-EXCHANGES_KEPT:]

    def judge(self, number: int, verdict: str) -> Exchange | None:
        """Remember what the person made of an answer; None where there is no such answer."""
        for i, exchange in enumerate(self.exchanges):
            if exchange.number == number and exchange.answer is not None:
                self.exchanges[i] = replace(exchange, verdict=verdict)
                return self.exchanges[i]
        return None

    def history(self, before: int | None = None) -> tuple[Turn, ...]:
        """The last exchanges, or those before one, as plain text for questions that lean on them."""
        earlier = [e for e in self.exchanges if before is None or e.number < before]
        return turns_of(earlier[-EXCHANGES_REMEMBERED:])


def turns_of(exchanges: Sequence[Exchange]) -> tuple[Turn, ...]:
    """What was asked and said; a question that failed is left out."""
    turns: list[Turn] = []
    for exchange in exchanges:
        said = _words_of(exchange.answer)
        if said:
            turns += [Turn("user", exchange.question), Turn("assistant", said)]
    return tuple(turns)


def title_of(question: str) -> str:
    """The beginning of a question, cut at a word."""
    text = " ".join(question.split())
    if len(text) <= TITLE_CHARS_MAX:
        return text
    return f"{text[:TITLE_CHARS_MAX].rpartition(' ')[0] or text[:TITLE_CHARS_MAX]}…"


def _words_of(answer: Answer | None) -> str:
    """What the assistant said, in words; empty if it failed."""
    if answer is None:
        return ""
    return answer.abstention.message if answer.abstention else answer.text
