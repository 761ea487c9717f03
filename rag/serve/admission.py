"""Takes questions in turn: so many are answered at once, so many wait, the rest are told to come back.

An answer is made in a thread. Whoever stops reading its events (a closed connection, a deadline) makes
that thread stop at its next event, and only then is the place free for the next question.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TypeVar

from rag.errors import ClientGone, DeadlineExceeded, GenerationFailed, TryLater
from rag.serve.limits import Limits
from rag.types import Answer, Event, Finished

_COME_BACK_S = 5.0
_CHECK_EVERY_S = 0.25
_T = TypeVar("_T")


class Admission:
    """Admits questions to the assistant. Belongs to one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.concurrent)
        self._threads = ThreadPoolExecutor(limits.concurrent, thread_name_prefix="citewise-answer")
        self.running = 0
        self.waiting = 0

    async def events(self, make: Callable[[], Iterator[Event]]) -> AsyncIterator[Event]:
        """The events of one answer, from its turn on.

        :raises TryLater: if too many questions are waiting.
        :raises DeadlineExceeded: if it takes longer than allowed, waiting included.
        :raises CitewiseError: what the assistant raises.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.deadline_s
        await self._take_place(deadline)
        told: asyncio.Queue[Event | None] = asyncio.Queue()
        nobody_reads = threading.Event()

        def tell(event: Event | None) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(told.put_nowait, event)

        work = loop.run_in_executor(self._threads, _walk, make, tell, nobody_reads)
        work.add_done_callback(self._leave_place)
        try:
            while (event := await _before(deadline, told.get())) is not None:
                yield event
            await work  # raises what the thread raised
        finally:
            nobody_reads.set()

    async def _take_place(self, deadline: float) -> None:
        if self._places.locked() and self.waiting >= self._limits.waiting_max:
            raise TryLater(
                f"{self.waiting} questions are waiting already.",
                hint=f"Ask again in {_COME_BACK_S:.0f} s; CITEWISE_SERVE_WAITING_MAX raises the limit.",
                retry_after_s=_COME_BACK_S,
            )
        self.waiting += 1
        try:
            await _before(deadline, self._places.acquire())
        finally:
            self.waiting -= 1
        self.running += 1

    def _leave_place(self, work: asyncio.Future[None]) -> None:
        self.running -= 1
        self._places.release()
        if not work.cancelled():
            work.exception()  # looked at, so that nobody warns of it when the reader has gone

    def close(self) -> None:
        """No more questions; the threads end with the answers they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _walk(
    make: Callable[[], Iterator[Event]],
    tell: Callable[[Event | None], None],
    nobody_reads: threading.Event,
) -> None:
    """Go through the events in this thread until they end or nobody reads them any more."""
    try:
        with closing(_closable(make())) as events:
            for event in events:
                if nobody_reads.is_set():
                    return
                tell(event)
    finally:
        tell(None)


def _closable(events: Iterator[Event]) -> Generator[Event, None, None]:
    """A generator over any iterator; closing it closes a generator inside."""
    yield from events


async def _before(deadline: float, awaited: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout_at(deadline):
            return await awaited
    except TimeoutError as exc:
        raise DeadlineExceeded(
            "The answer took longer than this server allows.",
            hint="Ask again when fewer are waiting, or raise CITEWISE_SERVE_DEADLINE_S.",
        ) from exc


async def finished(events: AsyncIterator[Event]) -> Answer:
    """The answer at the end of the events.

    :raises GenerationFailed: if they end without one.
    """
    answer = None
    async for event in events:
        if isinstance(event, Finished):
            answer = event.answer
    if answer is None:
        raise GenerationFailed("the answer broke off", hint="Ask again.")
    return answer


async def unless_gone(awaited: Awaitable[_T], is_gone: Callable[[], Awaitable[bool]]) -> _T:
    """Wait for a result as long as somebody wants it.

    :raises ClientGone: if nobody does any more; what was awaited is cancelled.
    """
    work = asyncio.ensure_future(awaited)
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=_CHECK_EVERY_S)
            if not work.done() and await is_gone():
                raise ClientGone("The client has closed the connection.", hint="Ask again.")
        return work.result()
    finally:
        work.cancel()
