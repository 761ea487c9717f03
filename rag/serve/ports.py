"""What the server needs of an assistant, and the assistant while it is still being opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from rag.errors import CitewiseError, NotReady
from rag.types import Answer, Event, Paper, Passage, Question, Turn

_COME_BACK_S = 2.0


class Answering(Protocol):
    """What the routes and tools ask of an assistant."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that can change an answer."""
        ...

    @property
    def papers_count(self) -> int:
        """Number of papers in the collection."""
        ...

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        """Answer one question, telling how far it is."""
        ...

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """One answer per question, in order."""
        ...

    def search(self, query: str, k: int = 10) -> list[Passage]:
        """The papers that fit a query best."""
        ...

    def paper(self, paper_id: str) -> Paper | None:
        """The paper of this id."""
        ...

    def papers(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        """Papers in the order of their ids, a page at a time."""
        ...


OpenAssistant = Callable[[], Answering]


class Opening:
    """Opens the assistant in a thread, so that the server can say from the start how it is."""

    def __init__(self, open_assistant: OpenAssistant) -> None:
        self._open = open_assistant
        self._opened: asyncio.Task[Answering] | None = None

    def start(self) -> asyncio.Task[Answering]:
        """Begin; needs a running event loop."""
        self._opened = asyncio.create_task(asyncio.to_thread(self._open))
        return self._opened

    def assistant(self) -> Answering:
        """The assistant.

        :raises NotReady: if it is still being opened.
        :raises CitewiseError: if it could not be opened.
        """
        if self._opened is None or not self._opened.done():
            raise NotReady(
                "The models and papers are still being loaded.",
                hint="Ask again shortly; GET /readyz says when it is ready.",
                retry_after_s=_COME_BACK_S,
            )
        error = self._opened.exception()
        if isinstance(error, CitewiseError):
            raise type(error)(error.message, hint=error.hint) from error
        return self._opened.result()

    async def opened(self, patience_s: float | None = 0.0) -> Answering:
        """The assistant, waited for as long as `patience_s` allows (None: until it is there).

        :raises NotReady: if it is still being opened then.
        :raises CitewiseError: if it could not be opened.
        """
        if self._opened is not None:
            await asyncio.wait({self._opened}, timeout=patience_s)
        return self.assistant()
