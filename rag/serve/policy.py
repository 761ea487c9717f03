"""What the server for programs lets in and what its responses carry: headers, refusals as problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import InvalidRequest, RequestError, TryLater, Unauthorized
from rag.serve.problems import problem_response
from rag.web.guard import AccessRules, Headers, Reason, Refusal

if TYPE_CHECKING:
    from starlette.responses import Response

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
# Data for programs: no page shows it, nobody keeps it.
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
# Status, kind, words and hint of what `server_rules` can refuse.
_REFUSALS: Mapping[Reason, tuple[int, type[RequestError], str, str]] = {
    "host": (
        421,
        InvalidRequest,
        "This server does not answer to the name in the Host header.",
        "Start the server with --allow-host NAME to be called by that name.",
    ),
    "origin": (
        403,
        InvalidRequest,
        "Requests from other sites are refused.",
        "Call from a program, not from a page of another site.",
    ),
    "token": (
        401,
        Unauthorized,
        "The bearer token is missing or wrong.",
        "Send the header: Authorization: Bearer TOKEN, with the token the server was started with.",
    ),
    "size": (
        413,
        InvalidRequest,
        "A request may have {:,} bytes.",
        "Send less at once; CITEWISE_SERVE_BODY_BYTES_MAX raises the limit.",
    ),
}


def server_rules(who: AccessRules, body_bytes_max: int) -> AccessRules:
    """Who may ask, and with bodies of what size; anyone may see whether the server is alive."""
    return replace(who, open_paths=_OPEN_PATHS, body_bytes_max=body_bytes_max)


def response_headers(_path: str) -> Headers:
    """The same for every path."""
    return _HEADERS


def refusal_response(refused: Refusal, path: str) -> Response:
    """A refusal as a problem document; who was too fast is told when to come back."""
    if refused.reason == "rate":
        hint = f"Ask again in {refused.wait_s:.1f} s; CITEWISE_SERVE_REQUESTS_PER_MINUTE raises the limit."
        message = "Too many requests from this address."
        return problem_response(TryLater(message, hint=hint, retry_after_s=refused.wait_s), path=path)
    status, kind, words, hint = _REFUSALS[refused.reason]
    return problem_response(kind(words.format(refused.bytes_max), hint=hint), status, path=path)
