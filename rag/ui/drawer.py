"""The list of saved conversations, and the starters of a new one, as HTML and text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.cleaning import clean
from rag.types import Paper
from rag.ui.conversations import Entry
from rag.ui.inert import inert

STARTERS_MAX = 6
EXAMPLES = (
    "How much higher throughput does Monarch Mixer achieve at sequence length 4K?",
    "Which paper studies time-reversed language models?",
    "How much does WRAP speed up pre-training on C4?",
    "What is refusal-aware instruction tuning?",
    "Which papers warn that fine-tuning makes models forget?",
    "What is the capital of France?",
)


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


def starters(papers: Sequence[Paper], *, shipped: bool) -> list[str]:
    """Questions to begin with: written ones for the papers that ship, else about the first titles."""
    if shipped:
        return list(EXAMPLES)
    step = max(len(papers) // STARTERS_MAX, 1)
    return [question_about(clean(paper.title)) for paper in papers[::step][:STARTERS_MAX]]


def question_about(title: str) -> str:
    """The question that a click on a paper asks; page.js asks the same."""
    return f"What does “{title}” show?"
