"""A batch as HTML: what was read, how far it is, its rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from rag.batch.questions import QuestionRow
from rag.text.clean import clean
from rag.ui.html.environment import counted, fill
from rag.ui.state.batch_job import BatchJob, BatchRow

ROWS_SHOWN = 100
_FIRST_SHOWN, _FAULTS_SHOWN = 5, 20
_TEXT_CHARS = 400
STATUSES: dict[str, str] = {
    "answered": "Answered",
    "quoted": "Quoted",
    "abstained": "Not here",
    "error": "Failed",
}


class TableRow(NamedTuple):
    """A row of the table, its texts cut to length."""

    number: int
    question: str
    status: str
    label: str
    confidence: float
    answer: str


def preview_html(name: str, rows: Sequence[QuestionRow]) -> Markup:
    """How many questions a file holds, which rows are bad, and the first questions."""
    faults = [row.failure.message for row in rows if row.failure]
    good = [row.question.text for row in rows if not row.failure]
    return fill(
        "batch.html",
        "preview",
        title=f"{counted(len(good), 'question')} in {name}",
        first=good[:_FIRST_SHOWN],
        more=len(good) - _FIRST_SHOWN,
        bad_count=len(faults),
        faults=faults[:_FAULTS_SHOWN],
    )


def head_html(name: str, rows: Sequence[QuestionRow]) -> Markup:
    """The file and its size, once it is being answered."""
    return fill("batch.html", "head", title=f"{len(rows):,} rows of {name}")


def progress_html(job: BatchJob) -> Markup:
    """A bar, how many of how many, the rate and the time left."""
    done, total = len(job.answered), len(job.rows)
    text = " · ".join(part for part in _progress_words(job, done, total) if part)
    return fill("batch.html", "progress", percent=100 * done / max(total, 1), text=text)


def _progress_words(job: BatchJob, done: int, total: int) -> list[str]:
    state = {"done": "Done", "cancelled": "Cancelled: start again to go on", "failed": "Failed"}
    left = job.seconds_left()
    fresh = done - job.resumed
    rate = fresh / job.seconds * 60 if job.seconds > 0 and fresh > 0 else 0.0
    return [
        state.get(job.state, ""),
        f"{done:,} of {total:,}",
        f"{job.resumed:,} were there already" if job.resumed else "",
        f"{rate:.0f} a minute" if rate else "",
        f"about {clock(left)} left" if left else "",
        f"waiting: {job.place} before this batch" if job.state == "running" and job.place else "",
    ]


def clock(seconds: float) -> str:
    """90.0 -> '1 min 30 s'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def table_html(rows: Sequence[BatchRow], status: str) -> Markup:
    """The rows of a status, or of all."""
    chosen = [row for row in rows if status in ("all", row.status)]
    if not chosen:
        return fill("batch.html", "no_row") if rows else Markup()
    cut = f"The first {ROWS_SHOWN} of {len(chosen):,}; all are in the download."
    shown = [_table_row(row) for row in chosen[:ROWS_SHOWN]]
    return fill("batch.html", "table", rows=shown, cut=cut if len(chosen) > ROWS_SHOWN else "")


def _table_row(row: BatchRow) -> TableRow:
    answer = row.answer[:_TEXT_CHARS] + ("…" if len(row.answer) > _TEXT_CHARS else "")
    label = STATUSES.get(row.status, row.status)
    question = row.question[:_TEXT_CHARS]
    return TableRow(row.number, question, row.status, label, row.confidence, clean(answer))
