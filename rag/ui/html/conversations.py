"""The list of saved conversations as HTML. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text.escape import inert
from rag.ui.state.conversation_store import Entry


def list_html(entries: Sequence[Entry], current: str | None) -> str:
    """One row per conversation; page.js carries what is done with it to the server by the row's id."""
    if not entries:
        return '<div class="cw-empty">Conversations you have will be kept here, on this machine.</div>'
    return "".join(_row(entry, entry.key == current) for entry in entries)


def _row(entry: Entry, current: bool) -> str:
    here = " cw-current" if current else ""
    return (
        f'<div class="cw-saved{here}" id="cw-saved-{entry.key}">'
        f'<button type="button" class="cw-do cw-open">{inert(entry.title)}</button>'
        '<button type="button" class="cw-do cw-rename" title="Rename">Rename</button>'
        '<button type="button" class="cw-do cw-delete" title="Delete">Delete</button></div>'
    )
