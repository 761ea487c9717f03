"""Papers of one's own: uploaded, looked at, added to a collection, asked about at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from rag.errors import CitewiseError
from rag.readers import FORMATS
from rag.ui.app_state import AppState
from rag.ui.html.answer import notice_html
from rag.ui.html.environment import fill
from rag.ui.html.uploads import added_html, preview_html, step_html
from rag.ui.state.library import DEFAULT
from rag.ui.state.uploads import Upload, collection_name, read_upload, typed_name
from rag.ui.tabs.controls import Controls
from rag.ui.tabs.widgets import PRIVATE, Updates, html

if TYPE_CHECKING:
    from rag.index.build import IngestReport

_TICK_S = 0.5


class UploadTab:
    """Files in, preview, name, progress, and a way to the chat."""

    def __init__(self, app_state: AppState, controls: Controls) -> None:
        self._app_state = app_state
        self._controls = controls
        formats = ", ".join(known.name for known in FORMATS)
        html(fill("page.html", "upload", formats=formats), "cw-upload-hint")
        self.files = gr.File(
            label="Files of papers", file_count="multiple", height=130, elem_id="cw-upload-files"
        )
        self.preview = html("", "cw-upload-preview")
        with gr.Row(visible=False, elem_id="cw-upload-row") as self.row:
            self.name = gr.Dropdown(
                label="Collection",
                info="A new name, or one of yours to add to.",
                allow_custom_value=True,
                elem_id="cw-upload-name",
            )
            self.add = gr.Button("Add to collection", variant="primary", scale=0, elem_id="cw-upload-add")
        self.told = html("", "cw-upload-told")
        self.upload = gr.State(None)

    def wire(self) -> None:
        """A preview as soon as files are there; the index when it is asked for."""
        shown = [self.files, self.upload, self.preview, self.row, self.name, self.told]
        self.files.upload(self._read, self.files, shown, **PRIVATE)
        self.add.click(
            self._add,
            [self.upload, self.name],
            [self.add, self.told, self.row, self._controls.collection, self.upload],
            **PRIVATE,
        )

    def _read(self, paths: Sequence[str]) -> Updates:
        files = [Path(path) for path in paths]
        upload = read_upload(files)
        for path in files:
            path.unlink(missing_ok=True)
        own = [info.name for info in self._app_state.library.collections() if info.name != DEFAULT]
        return {
            self.files: None,
            self.upload: upload,
            self.preview: preview_html(upload),
            self.row: gr.update(visible=bool(upload.papers)),
            self.name: gr.update(choices=own, value=collection_name(upload.names)),
            self.told: "",
        }

    def _add(self, upload: Upload | None, name: str | None) -> Iterator[Updates]:
        """Index in a thread of its own and tell how far that is."""
        if upload is None or not upload.papers:
            return
        name = typed_name(name)
        steps = [("reading", 0, 0)]
        yield {self.add: gr.update(interactive=False), self.told: notice_html("Getting ready…")}
        with ThreadPoolExecutor(1) as worker:
            future = worker.submit(
                self._app_state.library.add, upload.papers, name, lambda *step: steps.append(step)
            )
            while not future.done():
                yield {self.told: step_html(*steps[-1])}
                time.sleep(_TICK_S)
        try:
            yield {**self._after_adding(name, future.result()), self.add: gr.update(interactive=True)}
        except CitewiseError as exc:
            told = notice_html(exc.message, exc.hint, urgent=True)
            yield {self.add: gr.update(interactive=True), self.told: told}

    def _after_adding(self, name: str, report: IngestReport) -> Updates:
        told = added_html(
            name,
            total=report.total,
            added=report.added,
            updated=report.updated,
            unchanged=report.unchanged,
        )
        return {
            self.told: told,
            self.row: gr.update(visible=False),
            self.upload: None,
            **self._controls.collections_update(name),
        }
