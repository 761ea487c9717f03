"""Uploaded papers as HTML: what was read of the files, how far adding them is, what was added. Pure."""

from __future__ import annotations

from markupsafe import Markup

from rag.ui.html.environment import counted, fill
from rag.ui.html.evidence import meta
from rag.ui.html.papers import PaperCard
from rag.ui.state.uploads import Upload

_PAPERS_SHOWN = 6
_REJECTED_SHOWN = 50


def preview_html(upload: Upload) -> Markup:
    """How many papers, the first of them, and what was rejected with the reasons."""
    count, rejected = len(upload.papers), len(upload.rejected)
    return fill(
        "uploads.html",
        "preview",
        title=f"{counted(count, 'paper')} read from {', '.join(upload.names)}",
        cards=[PaperCard(paper, meta(paper)) for paper in upload.papers[:_PAPERS_SHOWN]],
        more=count - _PAPERS_SHOWN,
        rejected_count=rejected,
        rejected=upload.rejected[:_REJECTED_SHOWN],
        more_rejected=rejected - _REJECTED_SHOWN,
    )


def step_html(stage: str, done: int, total: int) -> Markup:
    """How far adding them is; `total` is 0 where nobody knows it."""
    percent = 100 * done / total if total else 0
    count = f"{done:,} of {total:,}" if total else ""
    return fill("batch.html", "progress", percent=percent, text=f"{stage} {count}")


def added_html(name: str, *, total: int, added: int, updated: int, unchanged: int) -> Markup:
    """What the collection holds now, and a way to ask it."""
    changes = [(added, "added"), (updated, "updated"), (unchanged, "there already")]
    told = ", ".join(f"{count:,} {what}" for count, what in changes if count)
    return fill("uploads.html", "added", name=name, total=total, changes=told)
