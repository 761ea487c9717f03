"""The figures as plain text, for a terminal: of runs, of public sets, of thumbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.measure.differences import shared_measures, verdict
from eval.measure.failures import agreeing, changes
from eval.measure.feedback import Votes
from eval.measure.measures import Measure
from eval.measure.results import RunResults
from eval.public.results import SetResult
from eval.report.markup import number
from eval.report.public import differences, merged


def table(runs: Sequence[RunResults]) -> str:
    """Measures down, runs across; below, types of questions, and what the first run has over the others."""
    names = list(dict.fromkeys(measure.name for run in runs for measure in run.overall))
    held = [{measure.name: measure for measure in run.overall} for run in runs]
    rows = [["measure", *(run.name for run in runs)]]
    rows += [[name, *(_cell(own.get(name)) for own in held)] for name in names]
    over = [line for other in runs[1:] for line in ["", *_over(runs[0], other)]]
    return "\n".join([*_aligned(rows), "", *_aligned(_types(runs[0])), *over])


def sets(results: Sequence[SetResult], others: Mapping[str, Sequence[SetResult]]) -> str:
    """Every table of the public sets, 'set: system' down; then what this run has over others."""
    lines: list[str] = []
    for first, rows in merged(results):
        cells = [[name, *map(_cell, row)] for name, row in rows]
        lines += [*_aligned([[first.caption, *first.columns], *cells]), ""]
    for name, own in others.items():
        gaps = [[told, _cell(gap), verdict(gap)] for told, gap in differences(results, own)]
        lines += [*_aligned([[f"this run minus {name}", "difference", "so"], *gaps]), ""]
    return "\n".join(lines).rstrip()


def thumbs(found: Votes) -> str:
    """Shares of thumbs up, and the questions that were voted down."""
    rows = [["answer was", "share of thumbs up"], *([one.name, _cell(one)] for one in found.up)]
    down = [
        f"down: {thumb.question} ({thumb.then.status}{f', now {thumb.again.status}' if thumb.again else ''})"
        for thumb in found.down
    ]
    return "\n".join([*_aligned(rows), *([""] if down else []), *down])


def _over(first: RunResults, other: RunResults) -> list[str]:
    """Only what is more than chance, and how many questions changed."""
    shared = shared_measures(other, first)
    told = [[change.name, _cell(change)] for change in shared if verdict(change) == "differs"]
    turned = changes(first.items, other.items)
    better = sum(change.first.right for change in turned)
    head = f"{first.name} minus {other.name}"
    alike, of = agreeing(first.items, other.items)
    count = (
        f"{better} questions right only in the first, {len(turned) - better} only in the second; "
        f"answered or not, and from the same papers: {alike} of {of} alike"
    )
    return [*_aligned([[head, "beyond chance"], *told]), count] if shared else [f"{head}: no question shared"]


def _types(run: RunResults) -> list[list[str]]:
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
