"""What every response carries, and which requests are not handed on: known hosts aside, see `server`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.ui.html.quality import ADDRESS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_BYTES_MAX = 256 * 1024
UPLOAD_BYTES_MAX = 64 * 1024 * 1024
_UPLOAD = "/gradio_api/upload"
# Gradio's page needs inline scripts and styles; it gets no eval and no other host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# The report is a file of the user's: its own script may run, but as a page of nobody, with no network.
_FRAMED = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_COMMON = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_HEADERS = [*_COMMON, (b"content-security-policy", _POLICY.encode()), (b"x-frame-options", b"DENY")]
_FRAME_HEADERS = [
    *_COMMON,
    (b"content-security-policy", _FRAMED.encode()),
    (b"x-frame-options", b"SAMEORIGIN"),
]


class Guard:
    """Puts our headers on every response; refuses large bodies and posts from other sites' pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = _FRAME_HEADERS if scope["path"] == ADDRESS else _HEADERS

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        refusal = _refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
            return
        from starlette.responses import PlainTextResponse

        status, reason = refusal
        await PlainTextResponse(reason, status_code=status)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    """Why this request is not handed on; None if it is."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return None
    origin = headers.get(b"origin")
    if origin and urlsplit(origin).netloc != headers.get(b"host", ""):
        return 403, "requests from other sites are refused"
    length = headers.get(b"content-length", "")
    if not length.isdigit():
        return 411, "a content length is required"
    limit = UPLOAD_BYTES_MAX if scope["path"] == _UPLOAD else REQUEST_BYTES_MAX
    if int(length) > limit:
        return 413, f"a request may have {limit:,} bytes"
    return None
