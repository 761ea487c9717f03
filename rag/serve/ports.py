"""The assistant of a server, also while it is still being opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rag.errors import CitewiseError, NotReady
from rag.ports import BrowsableAnswers

_COME_BACK_S = 2.0
OpenAssistant = Callable[[], BrowsableAnswers]


class Opening:
    """Opens the assistant in a thread, so that the server can say from the start how it is."""

    def __init__(self, open_assistant: OpenAssistant) -> None:
        self._open = open_assistant
        self._opened: asyncio.Task[BrowsableAnswers] | None = None

    def start(self) -> asyncio.Task[BrowsableAnswers]:
        """Begin; needs a running event loop."""
        self._opened = asyncio.create_task(asyncio.to_thread(self._open))
        return self._opened

    def assistant(self) -> BrowsableAnswers:
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

    async def opened(self, patience_s: float | None = 0.0) -> BrowsableAnswers:
        """The assistant, waited for as long as `patience_s` allows (None: until it is there).

        :raises NotReady: if it is still being opened then.
        :raises CitewiseError: if it could not be opened.
        """
        if self._opened is not None:
            await asyncio.wait({self._opened}, timeout=patience_s)
        return self.assistant()
