"""What a run found, as one JSON file: figures, curves and every question, stamped with how it came about.

Holds all that a report shows, so that two runs can be compared without asking anything again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from eval.measure import measures
from eval.measure.failures import Failures, failures_of
from eval.measure.items import QuestionResult, item_of
from eval.measure.measures import Curves, Measure
from eval.measure.stamps import Stamp
from eval.questions.questions import Gold
from rag.errors import OutputError, ReadError
from rag.storage.atomic import write_whole
from rag.types import Answer

FORMAT = 1
_Kept = TypeVar("_Kept", bound="Formatted")


@dataclass(frozen=True, slots=True)
class RunResults:
    """One system on one set of questions."""

    format: int
    stamp: Stamp
    overall: tuple[Measure, ...]
    by_type: Mapping[str, tuple[Measure, ...]]
    curves: Curves
    items: tuple[QuestionResult, ...]
    failures: Failures = field(default_factory=Failures)

    @property
    def name(self) -> str:
        """How a person tells this run from another."""
        return self.stamp.system


class Formatted(Protocol):
    """What all files of results hold: the number of their format."""

    @property
    def format(self) -> int:
        """The `FORMAT` of the module that wrote it."""
        ...


def collect(rows: Sequence[tuple[Gold, Answer]], stamp: Stamp) -> RunResults:
    """Measure the rows of a run."""
    scores = [measures.scores_of(gold, answer) for gold, answer in rows]
    items = tuple(item_of(gold, answer, own) for (gold, answer), own in zip(rows, scores, strict=True))
    return RunResults(
        format=FORMAT,
        stamp=stamp,
        overall=measures.overall(rows, scores),
        by_type=measures.by_type(rows, scores),
        curves=measures.curves(rows),
        items=items,
        failures=failures_of(items),
    )


def told_apart(runs: Sequence[RunResults]) -> list[RunResults]:
    """The runs, those of the same name with what tells them apart behind it: settings, or a number."""
    named = []
    for place, run in enumerate(runs):
        namesakes = [other for other in runs if other is not run and other.name == run.name]
        name = f"{run.name} ({_difference(run, namesakes) or f'run {place + 1}'})" if namesakes else run.name
        named.append(replace(run, stamp=replace(run.stamp, system=name)))
    return named


def _difference(run: RunResults, others: Sequence[RunResults]) -> str:
    """The settings in which a run differs from the others, at most two; empty if they do not tell."""
    own = run.stamp.settings
    apart = [name for name in own if any(other.stamp.settings.get(name) != own[name] for other in others)]
    return ", ".join(f"{name} {own[name]}" for name in apart[:2])


def save(results: RunResults, path: Path) -> None:
    """Whole or not at all.

    :raises OutputError: if it cannot be written.
    """
    written(path, _adapter().dump_json(results, indent=1, ensure_ascii=True) + b"\n")


def written(path: Path, data: bytes) -> None:
    """Write a file of results whole or not at all, with its folder.

    :raises OutputError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror}", hint="Choose another folder with -o.") from exc


def read(path: Path) -> RunResults:
    """Results written by `save`.

    :raises ReadError: if it is missing or no such file.
    """
    hint = "Give a results.json written by `citewise eval` of this version."
    return parsed(path, _adapter(), FORMAT, hint=hint)


def parsed(path: Path, adapter: TypeAdapter[_Kept], number: int, *, hint: str) -> _Kept:
    """What a file of results of format `number` holds.

    :raises ReadError: with this hint, if it is missing, something else, or of another format.
    """
    try:
        found = adapter.validate_json(path.read_bytes())
    except OSError as exc:
        raise ReadError(f"{path}: {exc.strerror}", hint=hint) from exc
    except ValidationError as exc:
        raise ReadError(f"{path}: no results: {exc.errors()[0]['msg']}", hint=hint) from exc
    if found.format != number:
        raise ReadError(f"{path}: format {found.format}, not {number}", hint=hint)
    return found


@cache
def _adapter() -> TypeAdapter[RunResults]:
    return TypeAdapter(RunResults)
