"""What the final confidence is fitted on: which questions, and how much each of them weighs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from training.calibrate import ASKED, FOLDS, CalibrationCase, chosen, cross_validated, report, weights_of
from training.collections import QuestionCase


def told(source: str, kind: str, prior: float = 0.0) -> CalibrationCase:
    return CalibrationCase(source, kind, {"prior": prior})


def test_sources_weigh_alike_and_answerable_questions_three_quarters_of_each() -> None:
    rows = [
        *(told("dev", kind) for kind in ("answerable", "answerable", "far", "near")),
        *(told("written", kind) for kind in ("answerable", "near", "near", "absent")),
    ]
    # eight rows, four a source: 3 for the answerable ones, and .5 for each of two other kinds
    assert weights_of(rows) == pytest.approx([1.5, 1.5, 0.5, 0.5, 3.0, 0.25, 0.25, 0.5])


def test_as_many_of_a_kind_are_drawn_as_are_wanted_and_the_same_each_time() -> None:
    puts = [QuestionCase(f"far {i}", 0, "far", True) for i in range(100)] + [
        QuestionCase("near", 0, "near", True)
    ]
    drawn = chosen(puts)
    assert Counter(put.kind for put in drawn) == {"far": ASKED["far"], "near": 1}
    assert drawn == chosen(puts)
    assert drawn != chosen(puts, seed=2)


def test_the_report_counts_what_a_bar_refuses() -> None:
    rows = [
        told("dev", "answerable"),
        told("dev", "far"),
        told("written", "absent"),
        told("written", "absent"),
    ]
    found = report(np.array([0.9, 0.55, 0.5, 0.7]), rows)
    assert found["dev answerable refused at 0.5"] == 0.0
    assert (found["dev far refused at 0.5"], found["dev far refused at 0.6"]) == (0.0, 1.0)
    assert (found["written absent refused at 0.5"], found["written absent refused at 0.6"]) == (0.0, 0.5)
    assert found["questions"] == 4


def test_no_answer_is_judged_by_a_model_that_saw_it() -> None:
    """In one fold high priors are not answerable: who had not seen that takes them for answerable."""
    rows = [
        told(
            "dev", "answerable" if (place % 2 == 0) != (place % FOLDS == 0) else "far", prior=1.0 - place % 2
        )
        for place in range(10 * FOLDS)
    ]
    sure = cross_validated(rows)
    wrong = [place for place in range(0, len(rows), FOLDS) if place % 2 == 0]
    assert all(not rows[place].answerable and sure[place] > 0.9 for place in wrong)
