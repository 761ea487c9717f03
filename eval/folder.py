"""What the folder of results holds, and the report over it: made again whenever a part of it is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.measure import feedback
from eval.measure.feedback import Votes
from eval.measure.results import RunResults, read, written
from eval.public.results import SetResult, kept_sets
from eval.report import render
from eval.report.markdown import errors
from rag.errors import ReadError


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a report shows. `others`: name of another run -> its public sets."""

    runs: tuple[RunResults, ...] = ()
    public: tuple[SetResult, ...] = ()
    others: Mapping[str, Sequence[SetResult]] = field(default_factory=dict)
    thumbs: Votes | None = None


def contents(folder: Path) -> Contents:
    """What earlier commands left here; results of another version are left out."""
    paths = sorted(folder.glob("results-*.json"), key=lambda path: (path.stem != "results-full", path))
    return Contents(_readable(paths), tuple(kept_sets(folder)), thumbs=feedback.kept(folder))


def _readable(paths: Sequence[Path]) -> tuple[RunResults, ...]:
    found = []
    for path in paths:
        try:
            found.append(read(path))
        except ReadError:
            continue
    return tuple(found)


def leave(held: Contents, folder: Path) -> Path:
    """Write report.html and errors.md; the path of the report.

    :raises OutputError: if they cannot be written.
    """
    page = render(held.runs, held.public, held.others, held.thumbs)
    written(folder / "errors.md", errors(held.runs, held.public).encode())
    written(folder / "report.html", page.encode())
    return folder / "report.html"


def compared_run(path: Path) -> RunResults:
    """Results of another run: the file, or the folder that holds them.

    :raises ReadError: if there are none.
    """
    return read(path / "results-full.json" if path.is_dir() else path)


def compared_sets(path: Path) -> list[SetResult]:
    """The public sets in the folder of another run.

    :raises ReadError: if it holds none.
    """
    found = kept_sets(path)
    if not found:
        raise ReadError(f"{path}: holds no public sets", hint="Give the folder of another run, its -o.")
    return found
