"""An assistant opened behind a server, so that the server is there at once and can say how far it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, Literal, NamedTuple, TypeVar

from rag.errors import CitewiseError, NotReady
from rag.ports import Answers, Progress

_COME_BACK_S = 2.0
_Assistant = TypeVar("_Assistant", bound=Answers)


class Readiness(NamedTuple):
    """How far the opening is: a state, a sentence, and what to do if it failed."""

    state: Literal["opening", "ready", "failed"]
    message: str
    hint: str = ""


class LoadingAssistant(Generic[_Assistant]):
    """One attempt at a time to open the assistant in a thread; a failed one may be repeated.

    `hint`: what to do while it is not ready, for `NotReady`.
    """

    def __init__(
        self, open_assistant: Callable[[Progress], _Assistant], *, hint: str = "Ask again shortly."
    ) -> None:
        self._open, self._hint = open_assistant, hint
        self._lock = threading.Lock()
        self._future: Future[_Assistant] | None = None
        self._step = ""

    def start(self) -> Future[_Assistant]:
        """Begin, unless it has begun; begin again if it failed."""
        with self._lock:
            failed = self._future and self._future.done() and self._future.exception()
            if self._future is None or failed:
                self._step = ""
                worker = ThreadPoolExecutor(1, thread_name_prefix="citewise-open")
                self._future = worker.submit(self._open, self._report)
                worker.shutdown(wait=False)  # its thread ends with this attempt
            return self._future

    def wait(self, timeout_s: float) -> _Assistant | None:
        """The assistant, or None if it is not there yet; begins if nobody has.

        :raises CitewiseError: if it could not be opened.
        """
        future = self._future or self.start()
        wait([future], timeout_s)
        return _opened(future) if future.done() else None

    def assistant(self) -> _Assistant:
        """The assistant, without waiting for it.

        :raises NotReady: if it is still being opened.
        :raises CitewiseError: if it could not be opened.
        """
        if self._future is None or not self._future.done():
            raise NotReady(
                "The models and papers are still being loaded.", hint=self._hint, retry_after_s=_COME_BACK_S
            )
        return _opened(self._future)

    async def opened(self, patience_s: float | None = 0.0) -> _Assistant:
        """The assistant, waited for as long as `patience_s` allows (None: until it is there).

        :raises NotReady: if it is still being opened then, or nobody has begun.
        :raises CitewiseError: if it could not be opened.
        """
        if self._future is not None:
            waited = asyncio.wrap_future(self._future)
            waited.add_done_callback(lambda done: done.exception())  # looked at; `assistant` raises it
            await asyncio.wait({waited}, timeout=patience_s)
        return self.assistant()

    def readiness(self) -> Readiness:
        """How far it is, for people."""
        future = self._future
        if future is None or not future.done():
            step = self._step or "loading the models"
            return Readiness("opening", f"Getting ready: {step}", "You can already ask.")
        error = future.exception()
        if error is None:
            count = future.result().papers_count
            return Readiness("ready", f"{count:,} paper{'' if count == 1 else 's'}")
        if isinstance(error, CitewiseError):
            return Readiness("failed", error.message, error.hint)
        name = type(error).__name__
        return Readiness("failed", f"The assistant could not be opened ({name}).", "See the terminal.")

    def _report(self, stage: str, done: int, total: int) -> None:
        """Progress of reading and indexing the papers."""
        counted = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        self._step = stage + counted


def _opened(future: Future[_Assistant]) -> _Assistant:
    """What was opened; its error anew each time, so that no traceback grows with the requests.

    :raises CitewiseError: if it could not be opened.
    """
    error = future.exception()
    if isinstance(error, CitewiseError):
        raise type(error)(error.message, hint=error.hint) from error
    return future.result()
