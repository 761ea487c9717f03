"""Who may ask: known hosts, own origin, the bearer token, not too much and not too fast."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import CitewiseError, InvalidRequest, TryLater, Unauthorized
from rag.serve.problems import problem_response
from rag.web.addresses import LOOPBACK_NAMES, is_address
from rag.web.rate_limit import Clients

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_DIGITS_MAX = 15
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Rules:
    """Names the server answers to, its token, whether other machines reach it, and the largest body."""

    names: frozenset[str] = LOOPBACK_NAMES
    token: str | None = None
    public: bool = False
    body_bytes_max: int = 1_048_576


def host_of(header: str) -> str:
    """The host of a Host header in lower case, without port and brackets; empty when malformed."""
    try:
        return (urlsplit(f"//{header}").hostname or "") if header else ""
    except ValueError:
        return ""


def is_known(host: str, rules: Rules) -> bool:
    """Whether the server answers to this name.

    A page of another site that rebinds its DNS to us still carries its own name. An address is nobody's
    name, so on a public server any address will do.
    """
    return host in rules.names or (rules.public and is_address(host))


def refusal(path: str, headers: Mapping[str, str], rules: Rules) -> tuple[int, CitewiseError] | None:
    """Status and error of a request that is not handed on; None if it is. Header names are lower case."""
    if not is_known(host_of(headers.get("host", "")), rules):
        hint = "Start the server with --allow-host NAME to be called by that name."
        return 421, InvalidRequest("This server does not answer to the name in the Host header.", hint=hint)
    origin = headers.get("origin")
    if origin and origin.lower().partition("://")[2] != headers.get("host", "").lower():
        hint = "Call from a program, not from a page of another site."
        return 403, InvalidRequest("Requests from other sites are refused.", hint=hint)
    if rules.token and path not in _OPEN_PATHS and not _has_token(headers, rules.token):
        hint = "Send the header: Authorization: Bearer TOKEN, with the token the server was started with."
        return 401, Unauthorized("The bearer token is missing or wrong.", hint=hint)
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > _DIGITS_MAX or int(length) > rules.body_bytes_max):
        hint = "Send less at once; CITEWISE_SERVE_BODY_BYTES_MAX raises the limit."
        return 413, InvalidRequest(f"A request may have {rules.body_bytes_max:,} bytes.", hint=hint)
    return None


def _has_token(headers: Mapping[str, str], token: str) -> bool:
    """Compared in constant time: how long it takes says nothing of how much is right."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


class Guard:
    """Refuses what `refusal` refuses and clients that are too fast; puts our headers on every response."""

    def __init__(self, app: ASGIApp, rules: Rules, clients: Clients) -> None:
        self._app, self._rules, self._clients = app, rules, clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        refused = self._too_fast(scope) or self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send_guarded)
            return
        status, error = refused
        await problem_response(error, status, path=scope["path"])(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, CitewiseError] | None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        return refusal(scope["path"], headers, self._rules)

    def _too_fast(self, scope: Scope) -> tuple[int, CitewiseError] | None:
        """On loopback there is one client, and it may do as it likes."""
        if not self._rules.public or scope["path"] in _OPEN_PATHS:
            return None
        wait_s = self._clients.wait_s(scope["client"][0] if scope.get("client") else "")
        if not wait_s:
            return None
        hint = f"Ask again in {wait_s:.1f} s; CITEWISE_SERVE_REQUESTS_PER_MINUTE raises the limit."
        return 429, TryLater("Too many requests from this address.", hint=hint, retry_after_s=wait_s)
