"""What `citewise eval` measures besides its own questions: public sets, and thumbs from the chat."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import typer

from eval.ask.ablations import SystemSource
from eval.folder import compared_sets, contents, leave
from eval.measure.feedback import Votes, save
from eval.public.catalogue import SETS
from eval.public.results import SetResult
from eval.public.run import PublicRun, measure_sets
from eval.public.subject import Subject
from eval.report import plain
from rag.cli import terminal
from rag.ports import Progress


def measure_public(wanted: PublicRun, source: SystemSource) -> list[SetResult]:
    """Measure the sets that are in the folder; say on standard error which were skipped and why."""
    results, skipped = measure_sets(wanted, Subject(source.settings, source.embedder, _progress(source)))
    for one in skipped:
        told = f"Skipped {one.name}: {one.reason} in {wanted.folder}"
        terminal.messages().print(terminal.printable(told))
    return results


def compared(others: Iterable[Path]) -> dict[str, list[SetResult]]:
    """The public sets of other runs, by the folder they lie in.

    :raises ReadError: if a folder holds none.
    """
    return {str(path): compared_sets(path) for path in others}


def leave_sets(results: Sequence[SetResult], others: Mapping[str, Sequence[SetResult]], output: Path) -> None:
    """The tables on standard output; the report over all that the folder holds, other runs beside."""
    page = leave(replace(contents(output), others=others), output)
    show(plain.sets(results, others), page)


def known_sets(names: Iterable[str]) -> list[str]:
    """The names as given.

    :raises typer.BadParameter: if one is no set.
    """
    wanted = list(names)
    unknown = [name for name in wanted if name not in SETS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(SETS)}.", param_hint="--public-set")
    return wanted


def leave_thumbs(found: Votes, output: Path) -> None:
    """Shares of thumbs up and what was voted down, kept and shown."""
    save(found, output)
    show(plain.thumbs(found), leave(contents(output), output))


def show(table: str, page: Path) -> None:
    """Figures are data, where the report lies is not."""
    typer.echo(terminal.printable(table))
    terminal.messages().print(f"Report: {page}")


def today() -> str:
    """The date, ISO."""
    return datetime.date.today().isoformat()


def _progress(source: SystemSource) -> Progress:
    return source.progress or (lambda stage, done, total: None)
