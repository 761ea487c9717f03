"""What the final confidence is fitted on: which answers are right, and how much each of them weighs."""

from __future__ import annotations

import numpy as np
import pytest
from eval_rows import ALPHA, BETA, DECLINED, cite, gold, reply, say

from training.calibrate import (
    FOLDS,
    CalibrationCase,
    cross_validated,
    is_right_on_dev,
    is_right_on_written,
    report,
    weights_of,
)
from training.collections import QuestionCase


def told(source: str, kind: str, prior: float = 0.0, *, right: bool | None = None) -> CalibrationCase:
    return CalibrationCase(source, kind, {"prior": prior}, kind == "answerable" if right is None else right)


def test_sources_weigh_alike_and_answerable_questions_three_quarters_of_each() -> None:
    rows = [
        *(told("dev", kind) for kind in ("answerable", "answerable", "far", "near")),
        *(told("written", kind) for kind in ("answerable", "near", "near", "absent")),
    ]
    # eight rows, four a source: 3 for the answerable ones, and .5 for each of two other kinds
    assert weights_of(rows) == pytest.approx([1.5, 1.5, 0.5, 0.5, 3.0, 0.25, 0.25, 0.5])


def test_a_question_over_several_papers_is_an_answerable_one() -> None:
    rows = [told("dev", "answerable"), told("dev", "several"), told("dev", "far")]
    # three rows: 2.25 for the two answerable ones, .75 for the other
    assert weights_of(rows) == pytest.approx([1.125, 1.125, 0.75])


ON_ALPHA, ON_BETA = cite(1, ALPHA, "One is 5%."), cite(2, BETA, "Four is 7%.")
FIVE = reply(say("One is 5%.", 1), citations=[ON_ALPHA])


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        ({"a": "One is 5%."}, True),
        ({"a": "One is 6%."}, False),
        ({"b": "One is 5%."}, False),  # told, on another paper
        ({"a": "One is 5%.", "b": "Four is 7%."}, True),  # half of the parts
        ({"a": "One is 5%.", "b": "Four is 7%.", "c": "Five is odd."}, False),
        ({}, False),
    ],
)
def test_an_answer_to_a_written_question_is_right_where_it_tells_half_of_the_parts(
    parts: dict[str, str], right: bool
) -> None:
    assert is_right_on_written(QuestionCase("q", 0, "answerable", told=parts), FIVE) is right


def test_an_endless_answer_is_not_right() -> None:
    endless = reply(say("One is 5%." + " so" * 78, 1), citations=[ON_ALPHA])
    put = QuestionCase("q", 0, "answerable", told={"a": "One is 5%."})
    assert not is_right_on_written(put, endless)


def test_a_dev_answer_is_right_where_it_holds_what_it_must_on_a_right_paper() -> None:
    asked = gold("Alpha", must=[("5%",)])
    assert is_right_on_dev(asked, FIVE) is True
    assert is_right_on_dev(asked, reply(say("One is 5%.", 2), citations=[ON_BETA])) is False
    assert is_right_on_dev(asked, DECLINED) is False
    assert is_right_on_dev(gold("Alpha"), FIVE) is None  # nothing says what it must tell
    assert is_right_on_dev(gold(answerable=False), FIVE) is False


def test_the_report_counts_what_a_bar_refuses_of_each_kind_and_of_right_answers() -> None:
    rows = [
        told("dev", "answerable"),
        told("dev", "answerable", right=False),
        told("dev", "far"),
        told("written", "absent"),
        told("written", "absent"),
    ]
    found = report(np.array([0.9, 0.2, 0.55, 0.5, 0.3]), rows)
    assert found["dev answerable refused at 0.5"] == 0.5
    assert (found["dev right refused at 0.5"], found["dev wrong refused at 0.5"]) == (0.0, 1.0)
    assert (found["dev far refused at 0.5"], found["dev far refused at 0.6"]) == (0.0, 1.0)
    assert (found["written absent refused at 0.3"], found["written absent refused at 0.5"]) == (0.0, 0.5)
    assert "written right refused at 0.5" not in found  # there is none
    assert found["questions"] == 5
    # (.1 + .2 + .55) / 3, each in a bin of its own
    assert found["ECE, dev"] == pytest.approx(0.85 / 3)


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
