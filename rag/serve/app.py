"""All doors for programs as one ASGI app: routes, agent tools, health and metrics behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from rag.errors import CitewiseError
from rag.ports import BrowsableAnswers
from rag.serve import batch_routes, mcp, openai, problems, routes
from rag.serve.jobs import Jobs
from rag.serve.limits import Limits
from rag.serve.metrics import MEDIA_TYPE, Measured, Metrics
from rag.serve.policy import refusal_response, response_headers, server_rules
from rag.serve.schemas import ProblemBody
from rag.serve.service import QUESTION_CHARS_MAX, Service
from rag.web.guard import AccessRules, Guard
from rag.web.opening import LoadingAssistant
from rag.web.rate_limit import Clients

OpenAssistant = Callable[[], BrowsableAnswers]
_Loading = LoadingAssistant[BrowsableAnswers]
_NOT_READY_HINT = "Ask again shortly; GET /readyz says when it is ready."
_ABOUT = (
    "Questions over paper abstracts; every sentence of an answer cites the papers that carry it and was "
    "checked against them. Errors are RFC 9457 problems with a hint."
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a server is run: who may ask, how much, and where its batches are kept (none: nowhere lasting)."""

    rules: AccessRules = field(default_factory=AccessRules)
    limits: Limits = field(default_factory=Limits.load)
    question_chars_max: int = QUESTION_CHARS_MAX
    jobs_folder: Path | None = None


def build_app(open_assistant: OpenAssistant, options: Options, version: str) -> FastAPI:
    """The server as an ASGI app. `open_assistant` runs in a thread once the app has started.

    :raises SettingsError: if another server keeps its batches in the same folder.
    """
    parts = _Parts(open_assistant, options, version)
    app = FastAPI(
        title="Citewise",
        version=version,
        description=_ABOUT,
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        lifespan=parts.lifespan,
        max_body_size=options.limits.body_bytes_max,  # of bodies that do not tell their length, too
        responses={"4XX": _problem_schema(), "5XX": _problem_schema()},
    )
    app.include_router(routes.router(parts.service))
    app.include_router(openai.router(parts.service))
    app.include_router(batch_routes.router(parts.service, parts.jobs))
    app.router.routes.append(mcp.http_route(parts.agents))
    _add_health(app, parts.loading, parts.metrics)
    problems.install(app)
    _add_guard(app, options)
    app.add_middleware(Measured, metrics=parts.metrics)
    return app


def _add_guard(app: FastAPI, options: Options) -> None:
    """On loopback there is one client, and it may do as it likes."""
    limits = options.limits
    app.add_middleware(
        Guard,
        rules=server_rules(options.rules, limits.body_bytes_max),
        headers=response_headers,
        respond=refusal_response,
        clients=Clients(limits.requests_per_minute, limits.burst) if options.rules.public else None,
    )


class _Parts:
    """What the routes stand on, and how long it lives."""

    def __init__(self, open_assistant: OpenAssistant, options: Options, version: str) -> None:
        self.loading: _Loading = LoadingAssistant(lambda _: open_assistant(), hint=_NOT_READY_HINT)
        self.metrics = Metrics()
        self.service = Service(
            self.loading.opened,
            options.limits,
            question_chars_max=options.question_chars_max,
            watcher=self.metrics,
        )
        self.agents = mcp.build_tools(self.service, version)
        self._temporary = None if options.jobs_folder else TemporaryDirectory(prefix="citewise-jobs-")
        self.jobs = Jobs(
            options.jobs_folder or Path(self._temporary.name if self._temporary else ""),
            self.loading.assistant,
            jobs_max=options.limits.jobs_max,
            watcher=self.metrics,
        )
        self.metrics.watch(self.service.admission, lambda: _papers_count(self.loading))

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """From the first request to the last: open the assistant, work on batches."""
        self.loading.start()
        self.jobs.start()
        async with self.agents.session_manager.run():
            yield
        self.jobs.close()
        self.service.admission.close()
        if self._temporary:
            self._temporary.cleanup()


def _add_health(app: FastAPI, loading: _Loading, metrics: Metrics) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> Response:
        """The server runs."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", tags=["health"])
    async def readyz() -> Response:
        """The models and papers are loaded."""
        return JSONResponse({"status": "ready", "papers": loading.assistant().papers_count})

    @app.get("/metrics", tags=["health"])
    async def numbers() -> Response:
        """Numbers for Prometheus."""
        return Response(metrics.text(), media_type=MEDIA_TYPE)


def _papers_count(loading: _Loading) -> int:
    try:
        return loading.assistant().papers_count
    except CitewiseError:
        return 0


def _problem_schema() -> dict[str, object]:
    schema = ProblemBody.model_json_schema()
    return {"description": "A problem.", "content": {problems.MEDIA_TYPE: {"schema": schema}}}
