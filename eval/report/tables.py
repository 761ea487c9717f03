"""The figures of one or several runs as tables; with two runs, what the second changes."""

from __future__ import annotations

from collections.abc import Sequence

from eval.measure.differences import shared_measures, verdict
from eval.measure.measures import Measure
from eval.measure.results import RunResults
from eval.report.markup import element, number, table, text


def summary(runs: Sequence[RunResults]) -> str:
    """A row per measure, a column per run: value, interval, number of questions."""
    names = list(dict.fromkeys(measure.name for run in runs for measure in run.overall))
    held = [{measure.name: measure for measure in run.overall} for run in runs]
    rows = [[text(name), *(cell(own.get(name)) for own in held)] for name in names]
    head = ["measure", *(text(run.name) for run in runs)]
    return table(head, rows, caption="Mean, 95 % bootstrap interval, number of questions it applies to")


def by_type(runs: Sequence[RunResults]) -> str:
    """A table per run: question types down, measures across."""
    return "".join(_types(run) for run in runs)


def differences(first: RunResults, second: RunResults) -> str:
    """Second minus first, on the questions both were asked, paired by question."""
    changes = shared_measures(first, second)
    if not changes:
        return element("p", "The two runs share no question.")
    rows = [[text(change.name), cell(change, signed=True), verdict(change)] for change in changes]
    caption = f"{text(second.name)} minus {text(first.name)}, paired by question, 95 % bootstrap interval"
    return table(["measure", "difference", "so"], rows, caption=caption)


def stamps(runs: Sequence[RunResults]) -> str:
    """How each run came about; settings that are not the same in all runs are marked."""
    rows: dict[str, list[str]] = {}
    for place, run in enumerate(runs):
        for name, value in _stamp(run).items():
            rows.setdefault(name, [""] * len(runs))[place] = value
    marked = [
        [text(name), *(element("b", text(v)) if len(set(values)) > 1 else text(v) for v in values)]
        for name, values in rows.items()
    ]
    return table(["", *(text(run.name) for run in runs)], marked)


def _stamp(run: RunResults) -> dict[str, str]:
    stamp = run.stamp
    own = {
        "date": stamp.date,
        "fingerprint of the answers": stamp.fingerprint,
        "code": stamp.code,
        "questions": f"{stamp.questions} ({len(run.items)}, split {stamp.split})",
        "judge of support": stamp.judge,
    }
    settings = {f"setting {name}": str(value) for name, value in stamp.settings.items()}
    return own | settings | {f"version of {name}": value for name, value in stamp.versions.items()}


def _types(run: RunResults) -> str:
    columns = [measure.name for measure in next(iter(run.by_type.values()), ())]
    rows = [
        [text(name), str(max((m.n for m in found), default=0)), *(number(m.value) for m in found)]
        for name, found in run.by_type.items()
    ]
    return table(["type", "n", *map(text, columns)], rows, caption=f"{text(run.name)}, by type of question")


def cell(measure: Measure | None, *, signed: bool = False) -> str:
    """Value, interval and how many it is over; a dash where there is none."""
    if measure is None or measure.value is None:
        return "–"
    plus = "+" if signed and measure.value > 0 else ""
    value = element("b", f"{plus}{number(measure.value)}")
    ends = f" [{number(measure.low)}, {number(measure.high)}]" if measure.low is not None else ""
    return f"{value}{element('small', f'{ends} n&nbsp;{measure.n}')}"
