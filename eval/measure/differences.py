"""What one run has over another on the questions both were asked, paired by question. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.measure.items import QuestionResult
from eval.measure.measures import Measure, measured, paired_difference
from eval.measure.results import RunResults
from eval.metrics import aurc, brier, expected_calibration_error
from eval.metrics.statistics import clustered_bootstrap

Sure = Sequence[float]
Right = Sequence[bool]
# Measures of all shown answers at once: questions are drawn together for both runs.
OF_ALL: Mapping[str, Callable[[Sure, Right], float]] = {
    "ECE, answers right": expected_calibration_error,
    "Brier, answers right": brier,
    "AURC": lambda sure, right: aurc(sure, [not one for one in right]),
}


def shared_measures(first: RunResults, second: RunResults) -> list[Measure]:
    """Second minus first of every measure that both have; empty without a shared question."""
    names = dict.fromkeys(measure.name for run in (first, second) for measure in run.overall)
    single = [paired_difference(_scores(first, name), _scores(second, name), name) for name in names]
    return [change for change in [*single, *_of_all(first.items, second.items)] if change.n]


def verdict(change: Measure) -> str:
    """What the interval of a difference says."""
    if change.value is None or change.low is None or change.high is None:
        return "–"
    if change.low == change.high == 0.0:
        return "the same"
    return "differs" if change.low > 0 or change.high < 0 else "may be chance"


def _scores(run: RunResults, name: str) -> Mapping[str, float]:
    return {item.id: item.scores[name] for item in run.items if name in item.scores}


def _of_all(first: Sequence[QuestionResult], second: Sequence[QuestionResult]) -> list[Measure]:
    others = {item.id: item for item in second}
    pairs = [(item, others[item.id]) for item in first if item.id in others]
    found = []
    for name, of in OF_ALL.items():

        def gap(at: NDArray[np.intp], of: Callable[[Sure, Right], float] = of) -> float:
            return _over_shown(of, [pairs[n][1] for n in at]) - _over_shown(of, [pairs[n][0] for n in at])

        own = clustered_bootstrap(gap, range(len(pairs)))
        found.append(measured(name, own.mean, own.low, own.high, own.count))
    return [one for one in found if one.value is not None]


def _over_shown(of: Callable[[Sure, Right], float], items: Sequence[QuestionResult]) -> float:
    """Nan where nothing was shown."""
    shown = [item for item in items if item.answers]
    return of([item.confidence for item in shown], [item.right for item in shown])
