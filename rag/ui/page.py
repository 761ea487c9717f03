"""The page: header, tabs, and what happens when it opens or another collection is chosen.

Imports gradio, which takes seconds: `server` imports this module only when a page is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from rag.ui.app_state import AppState
from rag.ui.html.answer import notice_html
from rag.ui.html.environment import fill
from rag.ui.html.quality import quality_html
from rag.ui.state.conversation import Conversation
from rag.ui.state.conversation_store import is_key, new_owner
from rag.ui.state.reports import last_report
from rag.ui.tabs.batch import BatchTab
from rag.ui.tabs.chat import ChatTab
from rag.ui.tabs.controls import Controls
from rag.ui.tabs.papers import PapersTab
from rag.ui.tabs.upload import UploadTab
from rag.ui.tabs.widgets import AT_ONCE, WAITING_MAX, Updates, html

_OPENING_TICK_S = 1.0


class _Page:
    """All parts, placed in the order in which they stand on the page."""

    def __init__(self, app_state: AppState) -> None:
        self.app_state = app_state
        # The key must outlive the server, so its cipher is no secret: it hides nothing from this browser.
        self.owner = gr.BrowserState("", storage_key="citewise-owner", secret="citewise")  # noqa: S106
        self.controls = Controls(app_state)
        with gr.Row(elem_id="cw-header"):
            html(fill("page.html", "menu"), "cw-menu-box", scale=0)
            html(fill("page.html", "brand"), "cw-brand-box")
            self.ready = html("", "cw-ready")
            self.controls.place_collection()
            renew = gr.Button("New", size="sm", elem_id="cw-new", scale=0, min_width=64)
            html(fill("page.html", "theme"), "cw-theme-box", scale=0)
        with gr.Tabs(elem_id="cw-tabs"):
            with gr.Tab("Chat", id="chat", elem_id="cw-tab-chat"):
                self.chat = ChatTab(app_state, self.controls, self.owner, renew)
            with gr.Tab("Papers", id="papers", elem_id="cw-tab-papers") as self.papers_tab:
                self.papers = PapersTab(app_state, self.controls)
            with gr.Tab("Batch", id="batch", elem_id="cw-tab-batch"):
                self.batch = BatchTab(app_state, self.controls, self.owner)
            with gr.Tab("Add papers", id="add", elem_id="cw-tab-add"):
                self.upload = UploadTab(app_state, self.controls)
            with gr.Tab("Quality", id="quality", elem_id="cw-tab-quality") as self.quality_tab:
                self.quality = html("", "cw-quality", trusted=True)
        self.clock = gr.Timer(_OPENING_TICK_S)

    def wire(self, page: gr.Blocks) -> None:
        """What each tab does, and what concerns several."""
        self.controls.wire()
        asked = self.chat.wire()
        self.papers.wire()
        self.batch.wire()
        self.upload.wire()
        self._wire_opening(page, asked)
        self._wire_collection()
        self.quality_tab.select(self._quality, None, self.quality, **AT_ONCE)

    def _wire_opening(self, page: gr.Blocks, asked: Sequence[Any]) -> None:
        """Open the assistant when the page opens, and say how far that is until it is ready."""
        chosen, outputs = self.controls.inputs, [self.ready, self.clock]
        page.load(self._greet, self.owner, [self.owner, self.chat.drawer], **AT_ONCE)
        page.load(self.controls.collections_update, None, self.controls.collection, **AT_ONCE)
        page.load(self._open, chosen, outputs, **AT_ONCE).then(
            self.chat.starter_updates, chosen, self.chat.examples, **AT_ONCE
        )
        self.clock.tick(self._readiness, chosen, outputs, **AT_ONCE)
        for event in asked:
            event.then(self._readiness, chosen, outputs, **AT_ONCE)

    def _wire_collection(self) -> None:
        """Another collection has other papers and other starters."""
        chosen = self.controls.inputs
        looked = {"fn": self.papers.refresh, "inputs": self.papers.inputs, "outputs": self.papers.outputs}
        changed = self.controls.collection.change(
            self._readiness, chosen, [self.ready, self.clock], **AT_ONCE
        )
        changed.then(self.chat.starter_updates, chosen, self.chat.examples, **AT_ONCE)
        changed.then(**looked, **AT_ONCE)
        self.papers_tab.select(**looked, **AT_ONCE)

    def _greet(self, owner: object) -> Updates:
        """A key for a browser that has none, and its conversations."""
        known = owner if isinstance(owner, str) and is_key(owner) else new_owner()
        return {self.owner: known, self.chat.drawer: self.chat.saved_list(Conversation(owner=known))}

    def _open(self, *chosen: object) -> Updates:
        self.app_state.assistants.of(self.controls.choice(chosen)).start()
        return self._readiness(*chosen)

    def _readiness(self, *chosen: object) -> Updates:
        readiness = self.app_state.assistants.of(self.controls.choice(chosen)).readiness()
        text = notice_html(readiness.message, readiness.hint, urgent=readiness.state == "failed")
        return {self.ready: text, self.clock: gr.Timer(active=readiness.state == "opening")}

    def _quality(self) -> str:
        return quality_html(last_report([Path(), self.app_state.library.settings.cache_dir]))


def build_page(app_state: AppState) -> gr.Blocks:
    """The page over what its tabs share."""
    page = gr.Blocks(title="Citewise", analytics_enabled=False, delete_cache=(3600, 86400))
    with page:
        parts = _Page(app_state)
        parts.wire(page)
    page.queue(max_size=2 * WAITING_MAX, default_concurrency_limit=WAITING_MAX, api_open=False)
    return page
