"""The export of a conversation: four files, made when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr

from rag.ui.app_state import AppState
from rag.ui.export import cited_papers, to_bibtex, to_json, to_markdown, to_ris
from rag.ui.state.conversation import Conversation, Exchange
from rag.ui.tabs.widgets import AT_ONCE, Updates

_KINDS = {"Markdown": ".md", "JSON": ".json", "BibTeX": ".bib", "RIS": ".ris"}


class ExportMenu:
    """A fold with one download per format."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        with gr.Accordion("Export", open=False, visible=False, elem_id="cw-export") as self.menu, gr.Row():
            self.buttons = {
                suffix: gr.DownloadButton(
                    name, size="sm", interactive=False, elem_classes="cw-download", min_width=90
                )
                for name, suffix in _KINDS.items()
            }

    def wire(self, state: gr.State) -> None:
        """Make the files when the fold opens."""
        self.menu.expand(self._make, [state], list(self.buttons.values()), **AT_ONCE)

    def _make(self, state: Conversation | None) -> Updates:
        conversation = state or Conversation()
        paths = write_exports(conversation, self._app_state.downloads)
        return {
            button: gr.update(value=str(paths[suffix]), interactive=True)
            for suffix, button in self.buttons.items()
        }


def write_exports(conversation: Conversation, folder: Path) -> dict[str, Path]:
    """The four files of a conversation, by suffix."""
    own = folder / conversation.key
    own.mkdir(exist_ok=True)
    title = conversation.title or "Conversation"
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    name = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:50] or "conversation"
    paths = {}
    for suffix, text in texts(title, conversation.exchanges, at).items():
        paths[suffix] = own / f"{name}{suffix}"
        paths[suffix].write_text(text, encoding="utf-8", errors="replace", newline="")
    return paths


def texts(title: str, exchanges: Sequence[Exchange], at: str) -> dict[str, str]:
    """Suffix -> content."""
    papers = cited_papers(exchanges)
    makers: dict[str, Callable[[], str]] = {
        ".md": lambda: to_markdown(title, exchanges, at),
        ".json": lambda: to_json(title, exchanges, at),
        ".bib": lambda: to_bibtex(papers),
        ".ris": lambda: to_ris(papers),
    }
    return {suffix: make() for suffix, make in makers.items()}
