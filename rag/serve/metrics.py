"""What Prometheus reads at /metrics: requests, answers by status, seconds per stage, the queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from rag.serve.admission import Admission
from rag.types import Answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_STAGES = {"retrieve_s": "retrieve", "generate_s": "generate", "verify_s": "verify"}


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "citewise_requests", "HTTP requests by route and status.", ("route", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "citewise_request_seconds",
            "Until the last byte of the response.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._answers = Counter("citewise_answers", "Answers by status.", ("status",), registry=registry)
        self._stage_seconds = Histogram(
            "citewise_stage_seconds",
            "Seconds spent per answer and stage.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )

    def answered(self, answer: Answer) -> None:
        """An answer is finished, whoever asked."""
        self._answers.labels(answer.status).inc()
        for name, seconds in asdict(answer.timings).items():
            if name in _STAGES:
                self._stage_seconds.labels(_STAGES[name]).observe(seconds)

    def requested(self, route: str, status: int, seconds: float) -> None:
        """A response is sent."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def watch(self, admission: Admission, papers: Callable[[], int]) -> None:
        """Show the queue and the number of papers as they are when they are read."""
        for name, help_text, read in (
            ("running", "Answers being made.", lambda: admission.running),
            ("waiting", "Questions waiting for their turn.", lambda: admission.waiting),
            ("papers", "Papers in the collection.", papers),
        ):
            gauge = Gauge(f"citewise_{name}", help_text, registry=self.registry)
            gauge.set_function(read)

    def text(self) -> bytes:
        """The numbers in Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """Counts every request; routes go by their pattern, so that no id becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requested(route, status, time.perf_counter() - began_s)
