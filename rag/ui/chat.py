"""What happens when a person asks, stops or turns to another conversation. Hands out `View`s; no Gradio.

Everybody is searched for at once; one draft is written at a time, and who waits for that sees the queue.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.errors import CitewiseError
from rag.ports import Answers
from rag.types import Failure, StageStarted, Turn
from rag.ui.html.answer import exchange_html, notice_html, pending_html
from rag.ui.state.conversation import STOPPED, Conversation, Pending
from rag.ui.state.conversation_store import ConversationStore
from rag.ui.state.draft_queue import DraftQueue
from rag.ui.state.library import AssistantChoice, AssistantPool

_TICK_S = 0.25
_REDRAW_S = 0.1
WAITING_MAX = 16

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


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question as the page hands it in; `alone` if it leans on nothing that was said."""

    question: str
    choice: AssistantChoice
    alone: bool = False


class Chat:
    """The page's answers to what people do. Shared by all tabs; what is theirs is in `Conversation`."""

    def __init__(
        self, assistants: AssistantPool, store: ConversationStore, queue: DraftQueue, question_chars_max: int
    ) -> None:
        self._assistants = assistants
        self._store = store
        self._queue = queue
        self._question_chars_max = question_chars_max

    def ask(self, request: ChatRequest, conversation: Conversation) -> Iterator[View]:
        """Answer one question, showing how far it is."""
        request = replace(request, question=request.question.strip())
        refusal = self._refusal(request.question, conversation)
        if refusal is not None:
            yield View(conversation, notice=refusal, busy=conversation.pending is not None)
            return
        pending = conversation.begin(request.question)
        failure: Failure | None = BROKEN
        try:
            yield View(conversation, live=pending_html(pending), notice="", question="", busy=True)
            for _ in _paced(self._progress(request, conversation, pending), pending):
                yield View(conversation, live=pending_html(pending), busy=True)
            failure = None if pending.answer else _unanswered(conversation)
        except CitewiseError as exc:
            failure = Failure(type(exc).__name__, exc.message, exc.hint)
        finally:
            _end(conversation, failure)
        yield self._finished_view(conversation)

    def stop(self, conversation: Conversation | None) -> None:
        """Give up the question being answered; `ask` shows that it was stopped."""
        if conversation is not None:
            conversation.stopping.set()

    def settle(self, conversation: Conversation) -> View:
        """After `ask` broke: what is left of the conversation."""
        return whole_view(conversation)

    def turn_to(self, other: Conversation, conversation: Conversation) -> View:
        """Another conversation; at once, or by `ask` as soon as it has given up its question."""
        if conversation.pending is not None:
            conversation.leaving = other
            conversation.stopping.set()
            return View(conversation, notice="", question="", busy=True)
        return replace(whole_view(other), notice="", question="")

    def open(self, owner: str, key: str) -> Conversation | None:
        """A saved conversation, rendered; None if there is none."""
        conversation = self._store.open(owner, key)
        if conversation is not None:
            conversation.rendered = [exchange_html(exchange) for exchange in conversation.exchanges]
        return conversation

    def _finished_view(self, conversation: Conversation) -> View:
        """The finished exchange on screen and on disk."""
        if conversation.leaving is not None:
            return whole_view(conversation.leaving)
        view = whole_view(conversation)
        try:
            self._store.save(conversation)
        except CitewiseError as exc:
            return replace(view, notice=notice_html(exc.message, exc.hint, urgent=True))
        return view

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
        if self._queue.waiting() > WAITING_MAX:
            return notice_html("Too many people are waiting.", "Ask again in a minute.", urgent=True)
        return None

    def _progress(self, request: ChatRequest, conversation: Conversation, pending: Pending) -> Iterator[None]:
        """Wait for the assistant, then follow the answer; ends when stopped."""
        loading = self._assistants.of(request.choice)
        loading.start()  # again, if it has failed
        while (assistant := loading.wait(_TICK_S)) is None:
            pending.waiting = loading.readiness().message
            if conversation.stopping.is_set():
                return
            yield
        history = () if request.alone else conversation.history()
        yield from self._followed(assistant, conversation, pending, history)

    def _followed(
        self, assistant: Answers, conversation: Conversation, pending: Pending, history: tuple[Turn, ...]
    ) -> Iterator[None]:
        """The stream of an answer. Before its draft is written, it waits for its turn."""
        place = None
        try:
            for event in assistant.stream(pending.question, history):
                pending.take(event)
                yield
                if isinstance(event, StageStarted) and event.stage == "writing" and place is None:
                    place = self._queue.join()
                    while not (place.wait(_TICK_S) or conversation.stopping.is_set()):
                        pending.waiting = place_words(place.ahead())
                        yield
                    pending.waiting = ""
                if conversation.stopping.is_set():
                    return
        finally:
            if place:
                place.leave()


def place_words(ahead: int) -> str:
    """'waiting to write: 2 before you'."""
    return f"waiting to write: {ahead} before you"


def _unanswered(conversation: Conversation) -> Failure:
    return STOPPED if conversation.stopping.is_set() else BROKEN


def _paced(steps: Iterator[None], pending: Pending) -> Iterator[None]:
    """Every new stage, and of the steps between as many as a browser should redraw."""
    drawn, stages = 0.0, 0
    for _ in steps:
        now = time.monotonic()
        if len(pending.stages) > stages or now - drawn >= _REDRAW_S:
            drawn, stages = now, len(pending.stages)
            yield


def whole_view(conversation: Conversation) -> View:
    """All that was said, and nothing on its way."""
    return View(
        conversation,
        log="".join(conversation.rendered),
        live="",
        busy=conversation.pending is not None,
    )


def _end(conversation: Conversation, failure: Failure | None) -> None:
    """Put the pending question behind the others with what came of it."""
    assert conversation.pending is not None
    exchange = conversation.end(None if failure else conversation.pending.answer, failure)
    conversation.keep(exchange_html(exchange))
