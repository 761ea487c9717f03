"""Which requests a server takes: known hosts, own origin, the token, not too much and not too fast.

Each door hands in its rules, the headers of its responses and how it words a refusal; here they are applied,
before anything of the door sees the request.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from rag.web.addresses import LOOPBACK_NAMES, is_address
from rag.web.rate_limit import Clients

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = Sequence[tuple[bytes, bytes]]
Reason = Literal["host", "origin", "token", "no_length", "size", "rate"]
_DIGITS_MAX = 15
_WEBSOCKET_REFUSED = 1008  # RFC 6455: policy violation


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who may ask, and how much at once.

    `names`: what the server answers to. `public`: other machines reach it. `open_paths`: without a token, and
    as fast as one likes. `larger_bodies`: paths with a limit of their own in place of `body_bytes_max`.
    `unchecked_methods`: whose origin and length do not matter. `length_required`: no body of unknown length.
    """

    names: frozenset[str] = LOOPBACK_NAMES
    token: str | None = None
    public: bool = False
    open_paths: frozenset[str] = frozenset()
    body_bytes_max: int = 1_048_576
    larger_bodies: Mapping[str, int] = field(default_factory=dict)
    unchecked_methods: frozenset[str] = frozenset()
    length_required: bool = False


class RequestHead(NamedTuple):
    """What is known of a request before its body; names of headers are lower case, values latin-1."""

    method: str
    path: str
    headers: Mapping[str, str]


class Refusal(NamedTuple):
    """Why a request is not handed on; the size it may have, or the seconds until it may come again."""

    reason: Reason
    bytes_max: int = 0
    wait_s: float = 0.0


def host_of(header: str) -> str:
    """The host of a Host header in lower case, without port and brackets; empty when malformed."""
    try:
        return (urlsplit(f"//{header}").hostname or "") if header else ""
    except ValueError:
        return ""


def is_known(host: str, rules: AccessRules) -> bool:
    """Whether the server answers to this name.

    A page of another site that rebinds its DNS to us still carries its own name. An address is nobody's
    name, so on a public server any address will do.
    """
    return host in rules.names or (rules.public and is_address(host))


def refusal(head: RequestHead, rules: AccessRules) -> Refusal | None:
    """Why this request is not handed on; None if it is."""
    headers, checked = head.headers, head.method not in rules.unchecked_methods
    if not is_known(host_of(headers.get("host", "")), rules):
        return Refusal("host")
    origin = headers.get("origin")
    if checked and origin and origin.lower().partition("://")[2] != headers.get("host", "").lower():
        return Refusal("origin")
    if rules.token and head.path not in rules.open_paths and not _has_token(headers, rules.token):
        return Refusal("token")
    return _length_refusal(head, rules) if checked else None


def _has_token(headers: Mapping[str, str], token: str) -> bool:
    """Compared in constant time: how long it takes says nothing of how much is right."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _length_refusal(head: RequestHead, rules: AccessRules) -> Refusal | None:
    length = head.headers.get("content-length", "")
    if not length.isdecimal():
        return Refusal("no_length") if rules.length_required else None
    bytes_max = rules.larger_bodies.get(head.path, rules.body_bytes_max)
    too_large = len(length) > _DIGITS_MAX or int(length) > bytes_max
    return Refusal("size", bytes_max) if too_large else None


class Guard:
    """Refuses what `refusal` refuses and clients that are too fast; puts a door's headers on every response.

    `headers`: those of a path's responses. `respond`: the response to a refusal of a path. `clients`: whose
    requests are counted; None counts nobody, as on loopback, where there is one client.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: AccessRules,
        *,
        headers: Callable[[str], Headers],
        respond: Callable[[Refusal, str], ASGIApp],
        clients: Clients | None = None,
    ) -> None:
        self._app, self._rules = app, rules
        self._headers, self._respond, self._clients = headers, respond, clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _WEBSOCKET_REFUSED})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers(scope["path"])]
            await send(message)

        refused = self._too_fast(scope) or refusal(_head_of(scope), self._rules)
        app = self._app if refused is None else self._respond(refused, scope["path"])
        await app(scope, receive, send_guarded)

    def _too_fast(self, scope: Scope) -> Refusal | None:
        if self._clients is None or scope["path"] in self._rules.open_paths:
            return None
        wait_s = self._clients.wait_s(scope["client"][0] if scope.get("client") else "")
        return Refusal("rate", wait_s=wait_s) if wait_s else None


def _head_of(scope: Scope) -> RequestHead:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return RequestHead(scope["method"], scope["path"], headers)
