"""A file of questions in, a file of answers out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from rag.errors import CitewiseError
from rag.ui.app_state import AppState
from rag.ui.html.answer import notice_html
from rag.ui.html.batch import STATUSES, head_html, preview_html, progress_html, table_html
from rag.ui.html.environment import fill
from rag.ui.state.batch_job import BatchJob, export, load
from rag.ui.state.conversation_store import is_key
from rag.ui.tabs.controls import Controls
from rag.ui.tabs.widgets import AT_ONCE, PRIVATE, Updates, html

_TICK_S = 0.5
_SUFFIXES = {"Download CSV": ".csv", "Download JSONL": ".jsonl", "Download Parquet": ".parquet"}
_READABLE = [".txt", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"]


class BatchTab:
    """Upload, start, watch, download."""

    def __init__(self, app_state: AppState, controls: Controls, owner: gr.BrowserState) -> None:
        self._app_state = app_state
        self._controls = controls
        self._owner = owner
        html(fill("page.html", "batch"), "cw-batch-hint")
        self.file = gr.File(
            label="File of questions", file_types=_READABLE, height=130, elem_id="cw-batch-file"
        )
        self.preview = html("", "cw-batch-preview")
        with gr.Row(elem_id="cw-batch-buttons"):
            self.start = gr.Button("Start", variant="primary", interactive=False, elem_id="cw-batch-start")
            self.cancel = gr.Button("Cancel", visible=False, elem_id="cw-batch-cancel")
        self.progress = html("", "cw-batch-progress")
        with gr.Row(visible=False, elem_id="cw-batch-done") as self.done:
            self.status = gr.Radio(
                [("All", "all"), *((label, status) for status, label in STATUSES.items())],
                value="all",
                show_label=False,
                container=False,
                elem_id="cw-batch-status",
            )
            self.downloads = {
                suffix: gr.DownloadButton(name, size="sm", elem_classes="cw-download", min_width=110)
                for name, suffix in _SUFFIXES.items()
            }
        self.table = html("", "cw-batch-table")
        self.job = gr.State(None)

    def wire(self) -> None:
        """A new file is read at once; starting follows the job until it ends or the page is closed."""
        read = [self.file, self.job, self.preview, self.start, self.progress, self.table, self.done]
        self.file.upload(self._read, self.file, read, **PRIVATE)
        self.start.click(
            self._follow,
            [self.job, self.status, self._owner, *self._controls.inputs],
            [self.file, *read[2:], self.cancel, *self.downloads.values()],
            concurrency_id="batch",
            concurrency_limit=8,
            **PRIVATE,
        )
        self.cancel.click(self._cancel, [self.job], [self.cancel], **AT_ONCE)
        self.status.change(self._filter, [self.job, self.status], self.table, **AT_ONCE)

    def _read(self, path: str) -> Updates:
        name = Path(path).name
        nothing: Updates = {
            self.file: None,
            self.job: None,
            self.progress: "",
            self.table: "",
            self.done: gr.update(visible=False),
        }
        try:
            job = load(Path(path), name)
        except CitewiseError as exc:
            told = notice_html(exc.message.replace(path, name), exc.hint, urgent=True)
            return {**nothing, self.preview: told, self.start: gr.update(interactive=False)}
        finally:
            Path(path).unlink(missing_ok=True)
        ready = gr.update(visible=True, interactive=True, value="Start")
        return {**nothing, self.job: job, self.preview: preview_html(name, job.rows), self.start: ready}

    def _follow(self, job: BatchJob | None, status: str, owner: str, *chosen: object) -> Iterator[Updates]:
        """Start or resume a job and show how far it is; closing the page cancels it."""
        if job is None or job.state == "running":
            return
        yield {
            self.file: gr.update(visible=False),
            self.start: gr.update(visible=False),
            self.cancel: gr.update(visible=True, interactive=True),
            self.preview: head_html(job.name, job.rows),
            self.progress: notice_html("Getting ready…"),
        }
        try:
            yield from self._watch(job, status, owner, chosen)
        except CitewiseError as exc:
            job.failure = exc
        finally:
            job.cancel()
        yield self._end(job, status)

    def _watch(self, job: BatchJob, status: str, owner: str, chosen: tuple[object, ...]) -> Iterator[Updates]:
        loading = self._app_state.assistants.of(self._controls.choice(chosen))
        while (assistant := loading.wait(_TICK_S)) is None:
            yield {self.progress: notice_html(loading.readiness().message)}
        job.start(
            assistant, self._app_state.queue, self._app_state.batches / (owner if is_key(owner) else "nobody")
        )
        seen = -1
        while job.state == "running":
            updates: Updates = {self.progress: progress_html(job)}
            if len(job.answered) != seen:
                seen = len(job.answered)
                updates[self.table] = table_html(job.answered, status)
            yield updates
            time.sleep(_TICK_S)

    def _end(self, job: BatchJob, status: str) -> Updates:
        failed = job.failure
        progress = notice_html(failed.message, failed.hint, urgent=True) if failed else progress_html(job)
        files: dict[Any, Any] = {}
        for suffix, button in self.downloads.items():
            path = export(job, suffix, self._app_state.downloads)
            files[button] = gr.update(value=str(path) if path else None, interactive=path is not None)
        done = job.state == "done"
        return {
            self.file: gr.update(visible=True),
            self.start: gr.update(visible=not done, value="Go on"),
            self.cancel: gr.update(visible=False),
            self.progress: progress,
            self.table: table_html(job.answered, status),
            self.done: gr.update(visible=bool(job.answered)),
            **files,
        }

    def _cancel(self, job: BatchJob | None) -> Any:  # noqa: ANN401 - Gradio's update
        if job is not None:
            job.cancel()
        return gr.update(interactive=False)

    def _filter(self, job: BatchJob | None, status: str) -> str:
        return table_html(job.answered, status) if job else ""
