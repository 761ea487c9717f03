"""Shows answers, papers and progress to a person in a terminal. Decides nothing.

What comes from papers and models is stripped of control characters and never read as markup.
Data goes to standard output, all else to standard error.
"""

from __future__ import annotations

import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBars
from rich.text import Text

from rag.batch.run import BatchReport
from rag.errors import CitewiseError, GenerationFailed
from rag.ports import Progress
from rag.text.clean import clean
from rag.text.printable import C0_BUT_NEWLINE, HIDDEN, STEERING, any_of, readable
from rag.types import Answer, Citation, DraftToken, Event, Failure, Finished, Passage, StageStarted

if TYPE_CHECKING:
    from rag.index.build import IngestReport

_PLAIN_LINE_EVERY_S = 10.0
_RATE_OVER_S = 60.0
_SNIPPET_CHARS = 240
_REJECTED_SHOWN = 20
# CSI and OSC sequences, whole.
_ANSI = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
)
_CONTROLS = any_of(C0_BUT_NEWLINE, STEERING, HIDDEN)


def printable(text: str) -> str:
    """Text that cannot steer a terminal: no escape sequences, controls or direction marks."""
    text = _ANSI.sub("", text).replace("\t", " ")
    return readable(_CONTROLS.sub("", text))


def output() -> Console:
    """Standard output: data."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def messages() -> Console:
    """Standard error: everything that is not data."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def show_answer(answer: Answer, out: Console) -> None:
    """The answer with its citations and quotes, or why there is none and what comes closest."""
    if answer.standalone_question not in ("", answer.question):
        out.print(Text(f"Read as: {_shown(answer.standalone_question)}", style="dim"))
    if answer.abstention is not None:
        out.print(Text(_shown(answer.abstention.message)))
        for title in answer.abstention.closest:
            _indented(out, Text(f"closest: {_shown(title)}"), 2)
    elif answer.text:
        out.print(Text(_shown(answer.text)))
    for citation in answer.citations:
        _show_citation(citation, out)
    if answer.error is None:
        reason = f" ({answer.abstention.reason})" if answer.abstention else ""
        state = f"{answer.status}{reason}, confidence {answer.confidence:.2f}"
        state += f". {answer.doubt}" if answer.doubt else ""
        out.print(Text(f"\n{state}", style="dim"))


def show_failure(failure: CitewiseError | Failure, err: Console) -> None:
    """What went wrong and what to do next."""
    err.print(Text(f"Error: {printable(failure.message)}", style="bold red"))
    if failure.hint:
        err.print(Text(printable(failure.hint)))


def show_passages(passages: Iterable[Passage], out: Console) -> None:
    """Papers as found, best first, with the beginning of their abstracts."""
    for found in passages:
        paper = found.paper
        heading = _heading(f"{found.rank}.", paper.title, paper.year, paper.url)
        out.print(heading.append(f"  {found.score:.4f}", style="dim"))
        start = _shown(paper.abstract)
        cut = start if len(start) <= _SNIPPET_CHARS else f"{start[:_SNIPPET_CHARS].rstrip()}…"
        _indented(out, Text(cut, style="dim"), 4)


def show_ingestion(done: IngestReport, collection: str) -> None:
    """What an ingestion changed; on standard error the first rows that were skipped and why."""
    output().print(
        f"{done.added} added, {done.updated} updated, {done.removed} removed, "
        f"{done.unchanged} unchanged, {len(done.rejected)} rejected; "
        f"{done.total} papers in {collection!r}"
    )
    err = messages()
    for row in done.rejected[:_REJECTED_SHOWN]:
        err.print(Text(printable(f"rejected {row.origin}:{row.line}: {row.reason}")))
    if len(done.rejected) > _REJECTED_SHOWN:
        err.print(f"and {len(done.rejected) - _REJECTED_SHOWN} more")


def show_check(name: str, detail: str, fix: str, *, ok: bool) -> None:
    """One line of `doctor` or `models`, and the command that mends it."""
    line = f"{'ok' if ok else 'missing':8} {name:28} {detail}"
    output().print(Text(printable(line if ok or not fix else f"{line}\n{'':8} -> {fix}")))


def batch_summary(done: BatchReport, place: str) -> str:
    """How a batch went, on one line."""
    count = done.statuses.get
    resumed = f" ({done.resumed} from an earlier run)" if done.resumed else ""
    written = "" if place == "-" else f" Written to {place}."
    return (
        f"{done.total} rows{resumed}: {count('answered', 0)} answered, "
        f"{count('quoted', 0)} quoted, {count('abstained', 0)} abstained, {done.failed} failed; "
        f"{done.seconds:.1f} s.{written}"
    )


def show_stream(events: Iterable[Event], err: Console) -> Answer:
    """Show the draft greyed out while it is written; give back the verified answer.

    :raises GenerationFailed: if the stream ends without one.
    """
    drafting = False
    for event in events:
        if isinstance(event, StageStarted) and event.stage == "writing" and drafting:
            err.print("\n")  # the draft is begun anew
        elif isinstance(event, DraftToken):
            drafting = True
            err.print(Text(printable(event.text), style="dim"), end="")
        elif isinstance(event, Finished):
            if drafting:
                err.print("\n")
            return event.answer
    raise GenerationFailed("the answer broke off", hint="Ask again.")


@contextmanager
def progress(err: Console, *, bars: bool = True) -> Iterator[Progress]:
    """A reporter `(stage, done, total)`: bars on a terminal, else a line every ten seconds."""
    if not (bars and sys.stderr.isatty()):
        yield _plain_lines(err)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    # Redirected, what is printed as data would go to standard error with the bars.
    shown = ProgressBars(*columns, console=err, transient=True, redirect_stdout=False)
    with shown:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(printable(stage), total=None)
            shown.update(tasks[stage], completed=done, total=total or None)

        yield report


def _plain_lines(err: Console) -> Progress:
    last = time.monotonic()
    seen: dict[str, deque[tuple[float, int]]] = {}

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        marks = seen.setdefault(stage, deque())
        marks.append((now, done))
        # what a journal knew comes at once, and longer texts come later: only the last minute tells the rate
        while len(marks) > 2 and now - marks[0][0] > _RATE_OVER_S:
            marks.popleft()
        first, before = marks[0]
        if now - last >= _PLAIN_LINE_EVERY_S:
            last = now
            err.print(Text(f"{printable(stage)}: {pace(done, total, done - before, now - first)}"))

    return report


def pace(done: int, total: int, lately: int, seconds: float) -> str:
    """'120 of 600, 12 a second, 40 s left': `lately` of them took so many seconds."""
    told = f"{done} of {total}" if total else f"{done}"
    if lately <= 0 or seconds <= 0:
        return told
    rate = lately / seconds
    told += f", {rate:.3g} a second"
    left = (total - done) / rate
    if total <= done:
        return told
    return f"{told}, {left:.0f} s left" if left < 120 else f"{told}, {left / 60:.0f} min left"


def _show_citation(citation: Citation, out: Console) -> None:
    out.print()
    out.print(_heading(f"[{citation.key}]", citation.title, citation.year, citation.url))
    for quote in citation.quotes:
        _indented(out, Text(f"“{_shown(quote.text)}”"), 4)


def _heading(key: str, title: str, year: int | None, url: str | None) -> Text:
    text = Text(f"{key} ").append(_shown(title), style="bold")
    text.append(f" ({year})" if year else "")
    return text.append(f" {printable(url)}" if url else "", style="dim")


def _shown(text: str) -> str:
    """Cleaned line by line: an answer about several papers gives each a line."""
    return "\n".join(printable(clean(line)) for line in text.split("\n"))


def _indented(out: Console, text: Text, spaces: int) -> None:
    """Indent; on a terminal the following lines too."""
    if out.is_terminal:
        out.print(Padding(text, (0, 0, 0, spaces), expand=False), soft_wrap=False)
    else:
        out.print(Text(" " * spaces).append_text(text))
