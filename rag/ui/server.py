"""The page behind a guard: known hosts, own origin, small requests, and a strict content policy."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.ui.chat import Chat
from rag.ui.opening import OpenAssistant, Opening

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUESTION_CHARS_MAX = 4000
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_REQUEST_BYTES_MAX = 256 * 1024
_SESSIONS_MAX = 64
# Gradio's page needs inline scripts and styles; it gets no eval and no other host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


def is_loopback(host: str) -> bool:
    """True for a name or address that only this machine can reach."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def build_app(
    open_assistant: OpenAssistant,
    *,
    hosts: Iterable[str] = (),
    question_chars_max: int = QUESTION_CHARS_MAX,
) -> FastAPI:
    """The chat as an ASGI app. `hosts` are further names it may be called by.

    `open_assistant` runs in a thread of its own once the server or the page starts.
    """
    _keep_quiet()
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from rag.ui.page import build_page

    page = build_page(Chat(Opening(open_assistant), question_chars_max))
    page.state_session_capacity = _SESSIONS_MAX  # `mount_gradio_app` has no argument for it
    app = FastAPI(title="Citewise", openapi_url=None)
    known = sorted(LOOPBACK_NAMES | {"[::1]", *hosts})
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=known, www_redirect=False)
    app.add_middleware(Guard)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        run_history=False,
        show_error=False,
        max_file_size=_REQUEST_BYTES_MAX,
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=gr.themes.Base(
            font=["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"],
            font_mono=["ui-monospace", "Consolas", "monospace"],
        ),
        head=_head(),
    )
    return app


class Guard:
    """Puts our headers on every response; refuses large bodies and posts from other sites' pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
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
    if int(length) > _REQUEST_BYTES_MAX:
        return 413, f"a request may have {_REQUEST_BYTES_MAX} bytes"
    return None


def _keep_quiet() -> None:
    """No usage statistics, no update checks: these must be set before gradio is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _head() -> str:
    """Our style and script, inline, as the page's head."""
    own = files("rag.ui")
    style = (own / "style.css").read_text(encoding="utf-8")
    script = (own / "page.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"
