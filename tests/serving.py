"""A server over a fake assistant: in this process, or on a real port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fake_assistant import FakeAssistant
from starlette.testclient import TestClient

from rag.serve.app import Options, build_app
from rag.serve.limits import Limits
from rag.types import DraftToken, Event, Finished, StageStarted, Turn
from rag.web.guard import AccessRules

TOKEN = "a-token-of-enough-characters"
PUBLIC = Options(AccessRules(token=TOKEN, public=True))


class Held(FakeAssistant):
    """Writes drafts until it is let go or nobody listens any more; `closed` counts the latter."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        yield StageStarted("writing", 0.0)
        self.began.release()
        try:
            while not self.go.wait(0.02):
                yield DraftToken("unverified ")
        except GeneratorExit:
            self.closed.release()
            raise
        yield Finished(self.ask(question, history))


def options(public: Options | None = None, **limits: Any) -> Options:
    """Default options with other limits."""
    return replace(public or Options(), limits=Limits.load(**limits))


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Come back when something is true; fail when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@contextmanager
def client(assistant: Any = None, given: Options | None = None, **headers: str) -> Iterator[TestClient]:
    """A client of a server in this process, ready to answer."""
    app = build_app(lambda: assistant or FakeAssistant(), given or Options(), "1.0")
    with TestClient(app, base_url="http://localhost", headers=headers, raise_server_exceptions=False) as made:
        wait_until(lambda: made.get("/readyz").status_code == 200)
        yield made


@contextmanager
def server(assistant: Any = None, given: Options | None = None) -> Iterator[str]:
    """The address of a server on a free port, ready to answer."""
    import uvicorn

    from rag.web.addresses import listen, url_of

    app = build_app(lambda: assistant or FakeAssistant(), given or Options(), "1.0")
    listener = listen("127.0.0.1", 0)
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: running.started)
        wait_until(lambda: _is_ready(url_of(listener)))
        yield url_of(listener)
    finally:
        running.should_exit = True
        thread.join(20)
        listener.close()


def _is_ready(url: str) -> bool:
    import httpx

    return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
