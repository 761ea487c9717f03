"""Whether two files of answers say the same, field by field: `python -m eval.ask.same BEFORE AFTER`.

For a rebuild that shall change no answer. The files are the `answers-*.jsonl` of `citewise eval`. Texts,
status, citations, quotes and the order of papers must be equal; numbers may differ by 1e-6. Times and
fingerprints tell how an answer was made, not what it says, and are left out. Exit code 1 when they differ.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eval.ask.ask import read_answers
from rag.types import Answer

TOLERANCE = 1e-6
_HOW_IT_WAS_MADE = ("timings", "fingerprint")
_LINES_SHOWN = 40


def differences(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Iterator[tuple[str, str]]:
    """(question id, what differs) of every question of either file, by id."""
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            yield name, f"only {'after' if name in after else 'before'}"
            continue
        for path, one, other in _unequal("", _told(before[name]), _told(after[name])):
            yield name, f"{path.lstrip('.')}: {one!r} -> {other!r}"


def _told(answer: Answer) -> dict[str, object]:
    return {name: value for name, value in asdict(answer).items() if name not in _HOW_IT_WAS_MADE}


def _unequal(path: str, one: object, other: object) -> Iterator[tuple[str, object, object]]:
    """The leaves in which two values differ, with where they stand."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from _unequal(f"{path}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _unequal(f"{path}[{place}]", *pair)
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=0.0, abs_tol=TOLERANCE):
            yield path, one, other
    elif one != other:
        yield path, one, other


def main(
    before: Annotated[Path, typer.Argument(exists=True, help="answers-full.jsonl of one run.")],
    after: Annotated[Path, typer.Argument(exists=True, help="The same of another.")],
) -> None:
    """Compare two files of answers."""
    first, second = read_answers(before), read_answers(after)
    found = list(differences(first, second))
    for name, what in found[:_LINES_SHOWN]:
        typer.echo(f"{name}  {what[:300]}")
    fields = Counter(what.partition(":")[0].partition("[")[0] for _, what in found)
    changed = len({name for name, _ in found})
    typer.echo(
        f"{len(first.keys() | second.keys())} questions, {changed} differ {dict(fields) or ''}".rstrip()
    )
    if found or not first:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
