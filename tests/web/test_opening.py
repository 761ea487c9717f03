"""An assistant opened behind a server: how far it is, what failed, and that it is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from fake_assistant import FakeAssistant

from rag.errors import IndexMissing, NotReady
from rag.web.opening import LoadingAssistant

Progress = Callable[[str, int, int], None]


class Gate:
    """Opens an assistant once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.told = threading.Event()

    def open(self, progress: Progress) -> FakeAssistant:
        progress("embedding", 80, 159)
        self.told.set()
        assert self.go.wait(30)
        return FakeAssistant()


def missing(_: Progress) -> FakeAssistant:
    raise IndexMissing("no index here", hint="Make one.")


def test_it_says_how_far_it_is() -> None:
    gate = Gate()
    loading = LoadingAssistant(gate.open)
    assert loading.readiness().message == "Getting ready: loading the models"
    loading.start()
    assert gate.told.wait(30)
    assert loading.readiness()[:2] == ("opening", "Getting ready: embedding 80 of 159")
    assert loading.wait(0.01) is None
    gate.go.set()
    assert loading.wait(30) is not None
    assert loading.readiness()[:2] == ("ready", "1 paper")


def test_who_does_not_wait_is_told_to_come_back() -> None:
    gate = Gate()
    loading = LoadingAssistant(gate.open, hint="GET /readyz says when.")
    for _ in range(2):
        with pytest.raises(NotReady) as caught:
            loading.assistant()
        assert (caught.value.hint, caught.value.retry_after_s) == ("GET /readyz says when.", 2.0)
        loading.start()
    gate.go.set()
    assert loading.wait(30) is loading.assistant()


def test_it_is_begun_once_and_again_after_a_failure() -> None:
    tries: list[int] = []

    def second_time_lucky(progress: Progress) -> FakeAssistant:
        tries.append(1)
        return missing(progress) if len(tries) == 1 else FakeAssistant()

    loading = LoadingAssistant(second_time_lucky)
    with pytest.raises(IndexMissing):
        loading.wait(30)
    with pytest.raises(IndexMissing):  # looking at it again does not begin it again
        loading.wait(30)
    assert loading.readiness() == ("failed", "no index here", "Make one.")
    assert loading.start().result(30) is loading.start().result(30)
    assert len(tries) == 2


def test_every_request_gets_an_error_of_its_own() -> None:
    loading = LoadingAssistant(missing)
    loading.start().exception(30)
    told = []
    for _ in range(2):
        with pytest.raises(IndexMissing, match="no index here") as caught:
            loading.assistant()
        told.append(caught.value)
    assert told[0] is not told[1]
    assert told[0].hint == told[1].hint == "Make one."


def test_an_unexpected_failure_to_open_tells_no_secrets() -> None:
    def broken(_: Progress) -> FakeAssistant:
        raise RuntimeError("secret path /home/me")

    loading = LoadingAssistant(broken)
    assert loading.readiness().state == "opening"
    loading.start().exception(30)
    assert loading.readiness().state == "failed"
    assert "secret" not in loading.readiness().message


def test_an_event_loop_can_wait_for_it() -> None:
    async def run() -> None:
        gate = Gate()
        loading = LoadingAssistant(gate.open)
        with pytest.raises(NotReady):
            await loading.opened()
        loading.start()
        for patience_s in (0.0, 0.01):
            with pytest.raises(NotReady):
                await loading.opened(patience_s)
        both = asyncio.gather(loading.opened(None), loading.opened(None))
        gate.go.set()
        first, second = await both
        assert first is second is loading.assistant()

    asyncio.run(run())


def test_a_failure_that_is_waited_for_is_raised_and_nothing_else_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        loading = LoadingAssistant(missing)
        loading.start()
        with pytest.raises(IndexMissing):
            await loading.opened(None)

    asyncio.run(run())
    assert not caplog.records
