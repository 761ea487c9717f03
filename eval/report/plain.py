"""The figures as plain text, for a terminal: measures down, runs across."""

from __future__ import annotations

from collections.abc import Sequence

from eval.measures import Measure
from eval.report.markup import number
from eval.results import Results


def table(runs: Sequence[Results]) -> str:
    """Value and interval of every measure for each run; types of questions below, for the first run."""
    names = list(dict.fromkeys(measure.name for run in runs for measure in run.overall))
    held = [{measure.name: measure for measure in run.overall} for run in runs]
    rows = [["measure", *(run.name for run in runs)]]
    rows += [[name, *(_cell(own.get(name)) for own in held)] for name in names]
    return "\n".join([*_aligned(rows), "", *_aligned(_types(runs[0]))])


def _types(run: Results) -> list[list[str]]:
    columns = [measure.name for measure in next(iter(run.by_type.values()), ())]
    return [
        [f"type ({run.name})", "n", *columns],
        *([kind, str(own[0].n), *(number(m.value) for m in own)] for kind, own in run.by_type.items()),
    ]


def _cell(measure: Measure | None) -> str:
    if measure is None or measure.value is None:
        return "–"
    ends = f" [{number(measure.low)} {number(measure.high)}]" if measure.low is not None else ""
    return f"{number(measure.value)}{ends} n {measure.n}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
