"""Opens an assistant behind the page, so that the page is there at once and can say how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Literal, NamedTuple

from rag.errors import CitewiseError
from rag.ports import MappedAnswers, Progress

OpenAssistant = Callable[[Progress], MappedAnswers]


class Readiness(NamedTuple):
    """How far the opening is: a state, a sentence, and what to do if it failed."""

    state: Literal["opening", "ready", "failed"]
    message: str
    hint: str = ""


class Opening:
    """One attempt at a time to open the assistant in a thread; a failed one may be repeated."""

    def __init__(self, open_assistant: OpenAssistant) -> None:
        self._open = open_assistant
        self._lock = threading.Lock()
        self._future: Future[MappedAnswers] | None = None
        self._step = ""

    def start(self) -> Future[MappedAnswers]:
        """Begin, unless it has begun; begin again if it failed."""
        with self._lock:
            failed = self._future and self._future.done() and self._future.exception()
            if self._future is None or failed:
                self._step = ""
                worker = ThreadPoolExecutor(1, thread_name_prefix="citewise-open")
                self._future = worker.submit(self._open, self._report)
                worker.shutdown(wait=False)  # its thread ends with this attempt
            return self._future

    def wait(self, timeout_s: float) -> MappedAnswers | None:
        """The assistant, or None if it is not there yet.

        :raises CitewiseError: if it could not be opened.
        """
        future = self._future or self.start()
        wait([future], timeout_s)
        return future.result() if future.done() else None

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
        self._step = f"{stage} {done:,} of {total:,}" if total else f"{stage} {done:,}"
