"""One run against another: paired by question, measures of all answers drawn together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_runs import run

from eval.measure.differences import shared_measures, verdict
from eval.measure.measures import Measure


def sure(found, *outcomes):
    """The run with these (confidence, right) of shown answers, ids kept."""
    items = [
        replace(item, status="quoted", confidence=confidence, right=right)
        for item, (confidence, right) in zip(found.items, outcomes, strict=True)
    ]
    return replace(found, items=tuple(items))


def test_every_measure_has_its_difference():
    found = {change.name: change for change in shared_measures(run(right=False), run())}
    assert (found["correct"].value, found["correct"].n) == (0.5, 2)
    assert found["faithfulness"].value == 0.0
    assert {"ECE, answers right", "Brier, answers right", "AURC"} <= found.keys()


def test_calibration_of_two_runs_by_hand():
    first = sure(run(), (0.9, False), (0.9, False), (0.9, False))
    second = sure(run(), (0.9, True), (0.9, True), (0.9, True))
    found = {change.name: change for change in shared_measures(first, second)}
    # ECE .1 against .9, Brier .01 against .81, no risk against all
    assert found["ECE, answers right"].value == pytest.approx(-0.8)
    assert found["Brier, answers right"].value == pytest.approx(-0.8)
    assert (found["AURC"].value, found["AURC"].low, found["AURC"].high) == (-1.0, -1.0, -1.0)


def test_runs_without_a_shared_question_have_none():
    other = run()
    other = replace(other, items=tuple(replace(item, id=f"x{item.id}") for item in other.items))
    assert shared_measures(run(), other) == []


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 0.2, "differs"), (-0.2, -0.1, "differs"), (-0.1, 0.1, "may be chance"), (0.0, 0.0, "the same"),
     (None, None, "–")],
)  # fmt: skip
def test_the_verdict_of_an_interval(low, high, told):
    assert verdict(Measure("m", 0.1, low, high, 3)) == told
