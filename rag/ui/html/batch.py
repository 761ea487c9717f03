"""A batch as HTML: what was read, how far it is, its rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rag.batch.questions import QuestionRow
from rag.text.escape import inert, shown
from rag.ui.state.batch_job import BatchRow, BatchRun

ROWS_SHOWN = 100
_TEXT_CHARS = 400
Shown = Literal["all", "answered", "quoted", "abstained", "error"]
STATUSES: dict[str, str] = {
    "answered": "Answered",
    "quoted": "Quoted",
    "abstained": "Not here",
    "error": "Failed",
}


def preview_html(name: str, rows: Sequence[QuestionRow]) -> str:
    """How many questions a file holds, which rows are bad, and the first questions."""
    bad = [row for row in rows if row.failure]
    good = [row for row in rows if not row.failure]
    told = f"{len(good):,} question{'' if len(good) == 1 else 's'} in {name}"
    faults = "".join(f'<div class="cw-item">{inert(r.failure.message)}</div>' for r in bad[:20] if r.failure)
    first = "".join(f'<div class="cw-item">{inert(row.question.text)}</div>' for row in good[:5])
    more = f'<div class="cw-soft">and {len(good) - 5:,} more</div>' if len(good) > 5 else ""
    problems = (
        f'<details class="cw-more" open><summary>{len(bad):,} row'
        f"{'' if len(bad) == 1 else 's'} that cannot be asked</summary>{faults}</details>"
        if bad
        else ""
    )
    return f'<div class="cw-preview"><b>{inert(told)}</b>{first}{more}{problems}</div>'


def head_html(name: str, rows: Sequence[QuestionRow]) -> str:
    """The file and its size, once it is being answered."""
    return f'<div class="cw-preview"><b>{inert(f"{len(rows):,} rows of {name}")}</b></div>'


def progress_html(run: BatchRun) -> str:
    """A bar, how many of how many, the rate and the time left."""
    done, total = len(run.lines), len(run.rows)
    percent = 100 * done / max(total, 1)
    told = " · ".join(part for part in _told(run, done, total) if part)
    return (
        f'<div class="cw-progress" role="status"><span class="cw-bar"><span style="width:{percent:.1f}%">'
        f"</span></span><div>{inert(told)}</div></div>"
    )


def _told(run: BatchRun, done: int, total: int) -> list[str]:
    state = {"done": "Done", "cancelled": "Cancelled: start again to go on", "failed": "Failed"}
    left = run.seconds_left()
    fresh = done - run.resumed
    rate = fresh / run.seconds * 60 if run.seconds > 0 and fresh > 0 else 0.0
    return [
        state.get(run.state, ""),
        f"{done:,} of {total:,}",
        f"{run.resumed:,} were there already" if run.resumed else "",
        f"{rate:.0f} a minute" if rate else "",
        f"about {clock(left)} left" if left else "",
        f"waiting: {run.place} before this batch" if run.state == "running" and run.place else "",
    ]


def clock(seconds: float) -> str:
    """90.0 -> '1 min 30 s'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def table_html(lines: Sequence[BatchRow], status: str) -> str:
    """The rows of a status, or of all."""
    chosen = [line for line in lines if status in ("all", line.status)]
    if not chosen:
        return '<div class="cw-empty">No row of this kind yet.</div>' if lines else ""
    cut = f'<div class="cw-soft">The first {ROWS_SHOWN} of {len(chosen):,}; all are in the download.</div>'
    body = "".join(_row(line) for line in chosen[:ROWS_SHOWN])
    return (
        '<table class="cw-table"><thead><tr><th>#</th><th>Question</th><th>Status</th>'
        f"<th>Conf.</th><th>Answer</th></tr></thead><tbody>{body}</tbody></table>"
        f"{cut if len(chosen) > ROWS_SHOWN else ''}"
    )


def _row(line: BatchRow) -> str:
    said = line.answer[:_TEXT_CHARS] + ("…" if len(line.answer) > _TEXT_CHARS else "")
    label = STATUSES.get(line.status, line.status)
    return (
        f"<tr><td>{line.number}</td><td>{inert(line.question[:_TEXT_CHARS])}</td>"
        f'<td><span class="cw-status cw-{inert(line.status)}">{inert(label)}</span></td>'
        f"<td>{line.confidence:.2f}</td><td>{shown(said)}</td></tr>"
    )
