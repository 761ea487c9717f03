"""The queue: how many at once, how many wait, and who stops listening."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest
from fake_assistant import FakeAssistant
from serving import Held, wait_until

from rag.errors import ClientGone, DeadlineExceeded, GenerationFailed, TryLater
from rag.serve.admission import Admission, finished, unless_gone
from rag.serve.limits import Limits
from rag.types import DraftToken, Finished, StageStarted


def admission(**limits: float) -> Admission:
    return Admission(Limits.load(**limits))


def test_the_events_come_in_order_and_the_place_is_free_again() -> None:
    async def run() -> None:
        made = admission()
        events = [event async for event in made.events(partial(FakeAssistant().stream, "x"))]
        assert [type(event) for event in events] == [StageStarted, DraftToken, Finished]
        await asyncio.sleep(0)
        assert (made.running, made.waiting) == (0, 0)

    asyncio.run(run())


def test_what_the_assistant_raises_comes_through() -> None:
    def broken():
        yield StageStarted("writing", 0.0)
        raise GenerationFailed("the generator broke", hint="Ask again.")

    async def run() -> None:
        made = admission()
        with pytest.raises(GenerationFailed, match="broke"):
            await finished(made.events(broken))
        assert isinstance((await finished(made.events(partial(FakeAssistant().stream, "x")))).text, str)

    asyncio.run(run())


def test_events_without_an_answer_are_a_failure() -> None:
    async def run() -> None:
        with pytest.raises(GenerationFailed, match="broke off"):
            await finished(admission().events(lambda: iter([StageStarted("writing", 0.0)])))

    asyncio.run(run())


def test_so_many_at_once_so_many_wait_the_rest_come_back() -> None:
    async def run() -> None:
        made, held = admission(concurrent=1, waiting_max=2), Held()
        asked = [
            asyncio.create_task(finished(made.events(partial(held.stream, str(number)))))
            for number in range(5)
        ]
        while made.waiting < 2:
            await asyncio.sleep(0.01)
        assert made.running == 1
        held.go.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        refused = [result for result in results if isinstance(result, TryLater)]
        assert len(refused) == 2
        assert all(each.retry_after_s > 0 for each in refused)
        assert len(held.asked) == 3

    asyncio.run(run())


def test_two_places_are_two() -> None:
    async def run() -> None:
        made, held = admission(concurrent=2), Held()
        asked = [asyncio.create_task(finished(made.events(partial(held.stream, str(n))))) for n in range(3)]
        while made.running < 2:
            await asyncio.sleep(0.01)
        assert made.waiting == 1
        held.go.set()
        await asyncio.gather(*asked)

    asyncio.run(run())


def test_a_reader_who_leaves_frees_the_work() -> None:
    async def run() -> None:
        made, held = admission(), Held()
        task = asyncio.create_task(finished(made.events(partial(held.stream, "x"))))
        while not made.running:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(held.closed.acquire, timeout=5)
        while made.running:
            await asyncio.sleep(0.01)
        assert held.asked == []

    asyncio.run(run())


def test_a_deadline_frees_the_work_and_counts_the_waiting() -> None:
    async def run() -> None:
        made, held = admission(deadline_s=0.3), Held()
        asked = [asyncio.create_task(finished(made.events(partial(held.stream, str(n))))) for n in range(2)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(result) for result in results] == [DeadlineExceeded, DeadlineExceeded]
        assert await asyncio.to_thread(held.closed.acquire, timeout=5)
        while made.running:
            await asyncio.sleep(0.01)
        assert made.waiting == 0

    asyncio.run(run())


def test_unless_gone() -> None:
    async def run() -> None:
        left = threading.Event()

        async def is_gone() -> bool:
            return left.is_set()

        assert await unless_gone(asyncio.sleep(0.01, "done"), is_gone) == "done"
        left.set()
        with pytest.raises(ClientGone):
            await unless_gone(asyncio.sleep(60), is_gone)

    asyncio.run(run())


def test_the_helper_waits() -> None:
    with pytest.raises(AssertionError, match="never"):
        wait_until(lambda: False, 0.05)
