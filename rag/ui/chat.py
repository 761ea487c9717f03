"""What happens when a person asks, stops, or starts over. Knows no Gradio: hands out `View`s.

One draft is written at a time, whoever asks; the others wait and can still stop, read and start over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.errors import CitewiseError
from rag.types import Failure
from rag.ui.conversation import STOPPED, Conversation, Pending
from rag.ui.opening import Answering, Opening
from rag.ui.render import exchange_html, notice_html, pending_html

_TICK_S = 0.25
_REDRAW_S = 0.1

BROKEN = Failure(
    "Unexpected",
    "Something broke while answering.",
    "The terminal that runs Citewise shows what; please report it. Other questions still work.",
)


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows now; None leaves a part as it is."""

    conversation: Conversation
    log: str | None = None
    live: str | None = None
    notice: str | None = None
    question: str | None = None
    busy: bool = False


class Chat:
    """The page's answers to what people do. Shared by all tabs; what is theirs is in `Conversation`."""

    def __init__(self, opening: Opening, question_chars_max: int) -> None:
        self.opening = opening
        self._question_chars_max = question_chars_max
        self._writing = threading.Lock()

    def ask(self, question: str, conversation: Conversation | None) -> Iterator[View]:
        """Answer one question, showing how far it is."""
        conversation = conversation or Conversation()
        question = question.strip()
        refusal = self._refusal(question, conversation)
        if refusal is not None:
            yield View(conversation, notice=refusal, busy=conversation.pending is not None)
            return
        pending = conversation.begin(question)
        failure: Failure | None = BROKEN
        try:
            yield View(conversation, live=pending_html(pending), notice="", question="", busy=True)
            for _ in _paced(self._progress(conversation, pending), pending):
                yield View(conversation, live=pending_html(pending), busy=True)
            failure = None if pending.answer else _unanswered(conversation)
        except CitewiseError as exc:
            failure = Failure(type(exc).__name__, exc.message, exc.hint)
        finally:
            _end(conversation, failure)
        yield redrawn(conversation)

    def stop(self, conversation: Conversation | None) -> None:
        """Give up the question being answered; `ask` shows that it was stopped."""
        if conversation is not None:
            conversation.stopping.set()

    def settle(self, conversation: Conversation | None) -> View:
        """After `ask` broke: what is left of the conversation."""
        return redrawn(conversation or Conversation())

    def renew(self, conversation: Conversation | None) -> View:
        """An empty conversation; at once, or by `ask` as soon as it has given up its question."""
        conversation = conversation or Conversation()
        if conversation.pending is not None:
            conversation.renewing = True
            conversation.stopping.set()
            return View(conversation, notice="", question="", busy=True)
        conversation.clear()
        return replace(redrawn(conversation), notice="", question="")

    def _refusal(self, question: str, conversation: Conversation) -> str | None:
        """Why this question is not asked at all; None if it is."""
        limit = self._question_chars_max
        if conversation.pending is not None:
            return notice_html("One question at a time.", "Stop the running one first.")
        if not question:
            return notice_html("Type a question first.")
        if len(question) > limit:
            length = f"This question has {len(question):,} characters; the limit is {limit:,}."
            return notice_html(length, "Shorten it and send it again.", urgent=True)
        return None

    def _progress(self, conversation: Conversation, pending: Pending) -> Iterator[None]:
        """Wait for the assistant and for one's turn, then follow the answer; ends when stopped."""
        stopped = conversation.stopping.is_set
        self.opening.start()
        while (assistant := self.opening.wait(_TICK_S)) is None:
            pending.waiting = self.opening.readiness().message
            if stopped():
                return
            yield
        while not self._writing.acquire(timeout=_TICK_S):
            pending.waiting = "Waiting for another question to be answered"
            if stopped():
                return
            yield
        try:
            yield from _followed(assistant, conversation, pending)
        finally:
            self._writing.release()


def _unanswered(conversation: Conversation) -> Failure:
    return STOPPED if conversation.stopping.is_set() else BROKEN


def _followed(assistant: Answering, conversation: Conversation, pending: Pending) -> Iterator[None]:
    for event in assistant.stream(pending.question, conversation.history()):
        if conversation.stopping.is_set():
            return
        pending.take(event)
        yield


def _paced(steps: Iterator[None], pending: Pending) -> Iterator[None]:
    """Every new stage, and of the steps between as many as a browser should redraw."""
    drawn, stages = 0.0, 0
    for _ in steps:
        now = time.monotonic()
        if len(pending.stages) > stages or now - drawn >= _REDRAW_S:
            drawn, stages = now, len(pending.stages)
            yield


def redrawn(conversation: Conversation) -> View:
    """All that was said, and nothing on its way."""
    return View(
        conversation,
        log="".join(conversation.html),
        live="",
        busy=conversation.pending is not None,
    )


def _end(conversation: Conversation, failure: Failure | None) -> None:
    """Put the pending question behind the others with what came of it; or forget them all."""
    assert conversation.pending is not None
    exchange = conversation.end(None if failure else conversation.pending.answer, failure)
    if conversation.renewing:
        conversation.clear()
    else:
        conversation.keep(exchange_html(exchange))
