"""Errors as RFC 9457 problem documents: the command line's message and hint, and no stack traces."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from rag.errors import (
    CitewiseError,
    ClientGone,
    DeadlineExceeded,
    InvalidRequest,
    ModelError,
    NotFound,
    NotReady,
    PaperIndexError,
    RequestError,
    TryLater,
    Unauthorized,
)

MEDIA_TYPE = "application/problem+json"
# The first class that fits; anything else of ours is 500.
_STATUS: tuple[tuple[type[CitewiseError], int], ...] = (
    (Unauthorized, 401),
    (NotFound, 404),
    (DeadlineExceeded, 504),
    (ClientGone, 499),
    (NotReady, 503),
    (TryLater, 429),
    (InvalidRequest, 422),
    (RequestError, 400),
    (ModelError, 503),
    (PaperIndexError, 503),
)
_HTTP_HINTS = {
    404: "GET /openapi.json lists every route.",
    405: "GET /openapi.json lists every route and its methods.",
}
_OPENAI_PATHS = ("/v1/chat", "/v1/models")


def status_of(error: CitewiseError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: CitewiseError, status: int | None = None, *, openai: bool = False) -> dict[str, Any]:
    """An error as a problem document; `detail` and `hint` are what the command line shows.

    `openai`: say it once more where OpenAI's clients look.
    """
    name = type(error).__name__
    problem: dict[str, Any] = {
        "type": f"urn:citewise:error:{name}",
        "title": name,
        "status": status or status_of(error),
        "detail": error.message,
        "hint": error.hint,
    }
    if openai:
        problem["error"] = {"message": f"{error.message} {error.hint}", "type": name, "code": None}
    return problem


def problem_response(error: CitewiseError, status: int | None = None, *, path: str = "") -> Response:
    """The response to a request that ended in this error."""
    body = problem_of(error, status, openai=path.startswith(_OPENAI_PATHS))
    headers = {}
    if isinstance(error, TryLater):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="citewise"'
    return JSONResponse(body, body["status"], headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Give every error of this app the same form."""
    app.add_exception_handler(CitewiseError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


async def _on_ours(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, CitewiseError)
    return problem_response(exc, path=request.url.path)


async def _on_invalid(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    first = exc.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    error = InvalidRequest(f"{where}: {first['msg']}", hint="GET /openapi.json describes every request.")
    return problem_response(error, path=request.url.path)


async def _on_http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    kind = NotFound if exc.status_code == 404 else RequestError
    hint = _HTTP_HINTS.get(exc.status_code, "GET /openapi.json describes every request.")
    response = problem_response(kind(str(exc.detail), hint=hint), exc.status_code, path=request.url.path)
    response.headers.update(exc.headers or {})
    return response


async def _on_bug(request: Request, exc: Exception) -> Response:
    """A fault of ours: the server's log has the traceback, the client a sentence."""
    error = CitewiseError("The server failed on this request.", hint="The server's log says why.")
    return problem_response(error, path=request.url.path)
