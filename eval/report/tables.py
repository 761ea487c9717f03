"""The figures of one or several runs as tables; with two runs, what the second changes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from eval.measure.differences import shared_measures, verdict
from eval.measure.results import RunResults
from eval.report.markup import fill


def summary(runs: Sequence[RunResults]) -> Markup:
    """A row per measure, a column per run: value, interval, number of questions."""
    names = dict.fromkeys(measure.name for run in runs for measure in run.overall)
    held = [{measure.name: measure for measure in run.overall} for run in runs]
    rows = {name: [own.get(name) for own in held] for name in names}
    return fill("tables", "summary", names=[run.name for run in runs], rows=rows)


def by_type(runs: Sequence[RunResults]) -> Markup:
    """A table per run: question types down, measures across."""
    return Markup("").join(map(_types, runs))


def differences(first: RunResults, second: RunResults) -> Markup:
    """Second minus first, on the questions both were asked, paired by question."""
    changes = [(change, verdict(change)) for change in shared_measures(first, second)]
    return fill("tables", "differences", first=first.name, second=second.name, changes=changes)


def stamps(runs: Sequence[RunResults]) -> Markup:
    """How each run came about; settings that are not the same in all runs are marked."""
    rows: dict[str, list[str]] = {}
    for place, run in enumerate(runs):
        for name, value in _stamp(run).items():
            rows.setdefault(name, [""] * len(runs))[place] = value
    return fill("tables", "stamps", names=[run.name for run in runs], rows=rows)


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


def _types(run: RunResults) -> Markup:
    columns = [measure.name for measure in next(iter(run.by_type.values()), ())]
    rows = [(name, max((m.n for m in found), default=0), found) for name, found in run.by_type.items()]
    return fill("tables", "by_type", name=run.name, columns=columns, rows=rows)
