"""The page behind a guard: known hosts, own origin, small requests, and a strict content policy."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from rag.ui.app_state import AppState
from rag.ui.html.quality import ADDRESS
from rag.ui.policy import UPLOAD_BYTES_MAX, page_headers, page_rules, refusal_response
from rag.ui.state.library import Library
from rag.ui.state.reports import last_report
from rag.web.guard import Guard

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

QUESTION_CHARS_MAX = 4000
_SESSIONS_MAX = 64
_STYLES = ("style.css", "evidence.css", "tabs.css")
_SCRIPTS = ("marks.js", "actions.js", "page.js")


def build_app(
    library: Library, *, hosts: Iterable[str] = (), question_chars_max: int = QUESTION_CHARS_MAX
) -> FastAPI:
    """The page over a library as an ASGI app. `hosts` are further names it may be called by.

    Assistants are opened in threads of their own once the page is opened.
    """
    _keep_quiet()
    import gradio as gr
    from fastapi import FastAPI

    from rag.ui.page import build_page

    page = build_page(AppState(library, question_chars_max))
    page.state_session_capacity = _SESSIONS_MAX  # `mount_gradio_app` has no argument for it
    app = FastAPI(title="Citewise", openapi_url=None)
    app.add_middleware(Guard, rules=page_rules(hosts), headers=page_headers, respond=refusal_response)
    _serve_report(app, library)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        run_history=False,
        show_error=False,
        max_file_size=UPLOAD_BYTES_MAX,
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


def _serve_report(app: FastAPI, library: Library) -> None:
    """The last evaluation report, for the frame of the Quality tab."""
    from starlette.responses import FileResponse, PlainTextResponse

    @app.get(ADDRESS)
    def report() -> Response:
        found = last_report([Path(), library.settings.cache_dir])
        if found is None:
            return PlainTextResponse("There is no report yet.", status_code=404)
        return FileResponse(found, media_type="text/html")


def _keep_quiet() -> None:
    """No usage statistics, no update checks: these must be set before gradio is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def _head() -> str:
    """Our styles and scripts, inline, as the page's head."""
    own = files("rag.ui") / "static"
    style = "".join((own / name).read_text(encoding="utf-8") for name in _STYLES)
    script = "".join((own / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return f"<style>{style}</style><script>{script}</script>"
