"""What was found on one public set, as one JSON file: tables, causes, the worst cases, how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from eval.measure.measures import Measure, measured
from eval.measure.results import parsed, written
from eval.metrics.statistics import NAN, Difference, Interval
from rag.errors import ReadError

FORMAT = 1
FOLDER = "public"
WORST_SHOWN = 10
_HINT = "Give a file of the folder public/ written by `citewise eval --public` of this version."


@dataclass(frozen=True, slots=True)
class Table:
    """Systems down, measures across; every row has the same measures."""

    caption: str
    rows: Mapping[str, tuple[Measure, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the measures."""
        return tuple(measure.name for measure in next(iter(self.rows.values()), ()))


@dataclass(frozen=True, slots=True)
class FailureCase:
    """One that went wrong: what was asked or claimed, what came, the score behind it, the cause."""

    id: str
    asked: str
    came: str
    score: float
    cause: str


@dataclass(frozen=True, slots=True)
class SetFindings:
    """What a kind of measurement gives back.

    `members`: id -> the `chief` figure of what ships, so that two runs can be compared member by member.
    """

    tables: tuple[Table, ...]
    causes: Mapping[str, int]
    worst: tuple[FailureCase, ...]
    chief: str
    members: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PublicStamp:
    """With what it was measured: equal stamps but for the date give equal figures."""

    date: str
    fingerprint: str
    code: str
    data: str
    limit: int | None
    settings: Mapping[str, object]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetResult:
    """One set: whose it is, what was found, how."""

    format: int
    name: str
    kind: str
    about: str
    source: str
    licence: str
    count: int
    found: SetFindings
    stamp: PublicStamp


@dataclass(frozen=True, slots=True)
class Skipped:
    """A set that was not measured, and why."""

    name: str
    reason: str


def of_interval(name: str, found: Interval | Difference) -> Measure:
    """An interval under the name of its measure."""
    return measured(name, found.mean, found.low, found.high, found.count)


def plain_figure(name: str, value: float, count: int) -> Measure:
    """A figure without an interval."""
    return measured(name, value, NAN, NAN, count)


def most(cases: Iterable[FailureCase]) -> tuple[FailureCase, ...]:
    """The worst few: highest score first, ties by id."""
    return tuple(sorted(cases, key=lambda case: (-case.score, case.id))[:WORST_SHOWN])


def save_set(result: SetResult, folder: Path) -> Path:
    """Into `<folder>/public/<name>.json`, whole or not at all.

    :raises OutputError: if it cannot be written.
    """
    path = folder / FOLDER / f"{result.name}.json"
    written(path, _adapter().dump_json(result, indent=1, ensure_ascii=True) + b"\n")
    return path


def read_set(path: Path) -> SetResult:
    """What `save_set` wrote.

    :raises ReadError: if it is missing, something else, or of another format.
    """
    return parsed(path, _adapter(), FORMAT, hint=_HINT)


def kept_sets(folder: Path) -> list[SetResult]:
    """The sets that a folder holds, by name; files of another version are left out."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        kept = earlier(path)
        found += [kept] if kept else []
    return found


def earlier(path: Path) -> SetResult | None:
    """What an earlier run left; None when there is none, or it is of another version."""
    try:
        return read_set(path)
    except ReadError:
        return None


@cache
def _adapter() -> TypeAdapter[SetResult]:
    return TypeAdapter(SetResult)
