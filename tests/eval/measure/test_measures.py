"""From answers to figures, on rows counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eval_rows import ALPHA, BETA, DECLINED, FAILED, cite, gold, reply, say

from eval.measure import measures
from eval.measure.items import item_of
from eval.measure.measures import is_right, paired_difference
from rag.types import Timings

RIGHT = (
    gold("Alpha", evidence=[("Alpha", "One is 5%.")], must=[("5%",)], answer="One is 5%."),
    replace(
        reply(
            say("One is 5%.", 1),
            citations=[cite(1, ALPHA, "One is 5%.")],
            papers=[ALPHA, BETA],
            shown=[(ALPHA, "One is 5%.")],
            status="quoted",
        ),
        confidence=0.9,
        timings=Timings(retrieve_s=0.1, total_s=0.1),
    ),
)
WRONG = (
    gold("Alpha", evidence=[("Alpha", "One is 5%.")], must=[("5%",)], answer="5%"),
    replace(
        reply(
            say("Four is 9%.", 1),
            citations=[cite(1, BETA, "Four is 7%.")],
            papers=[BETA, ALPHA],
            shown=[(BETA, "Four is 7%.")],
        ),
        confidence=0.6,
        timings=Timings(retrieve_s=0.3, total_s=0.3),
    ),
)
FAR = (gold(type="far", answerable=False), replace(DECLINED, confidence=0.1))
NEAR = (gold("Beta", type="near_unanswerable", answerable=False), WRONG[1])
ROWS = [RIGHT, WRONG, FAR, NEAR]


def figures(rows):
    found = measures.overall(rows, [measures.scores_of(*row) for row in rows])
    return {measure.name: measure for measure in found}


def test_means_are_over_the_questions_they_apply_to():
    found = figures(ROWS)
    expected = {
        "recall@1": (0.5, 2),
        "recall@5": (1.0, 2),
        "MRR@10": (0.75, 2),
        "evidence recall": (0.5, 2),
        "correct": (0.5, 2),
        "right paper cited": (0.5, 2),
        "coverage of answerable": (1.0, 2),
        "false refusals": (0.0, 2),
        "refusal recall": (0.5, 2),
        "refusal recall, near": (0.0, 1),
        "refusal recall, far": (1.0, 1),
        "in the model's own words": (pytest.approx(2 / 3), 3),
        "failed": (0.0, 4),
        "unsupported numbers": (pytest.approx(2 / 3), 3),
    }
    assert {name: (found[name].value, found[name].n) for name in expected} == expected


def test_calibration_and_risk_by_hand():
    found = figures(ROWS)
    # shown: right at .9, wrong at .6 twice -> |1-.9|/3 + |0-.6|*2/3; risks 0 at .9, 2/3 at .6
    assert found["ECE, answers right"].value == pytest.approx(0.1 / 3 + 0.6 * 2 / 3)
    assert found["Brier, answers right"].value == pytest.approx((0.01 + 0.36 * 2) / 3)
    assert found["AURC"].value == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
    # asked: answerable at .9 and .6, unanswerable at .1 and .6
    assert found["ECE, answerable"].value == pytest.approx((0.1 + 0.1 + 2 * 0.1) / 4)


def test_intervals_hold_the_value_and_are_the_same_every_time():
    found = figures(ROWS)
    assert found == figures(ROWS)
    for measure in found.values():
        if measure.low is not None:
            assert measure.low <= measure.value <= measure.high


def test_no_rows_and_only_failures_give_no_figures_and_no_error():
    for rows in ([], [(RIGHT[0], FAILED)]):
        found = figures(rows)
        assert found["AURC"].value is None
        assert found["refusal recall"].value is None
    assert figures([(RIGHT[0], FAILED)])["failed"].value == 1.0


def test_curves():
    found = measures.curves(ROWS)
    assert found.recall[0] == (1, 0.5)
    assert found.recall[1] == (2, 1.0)
    assert found.risk == ((0.25, 0.0), (0.75, pytest.approx(2 / 3)))
    assert sum(one.n for one in found.reliability) == 3
    stages = {one.stage: one.seconds[0] for one in found.latency}
    assert stages == {"retrieve_s": pytest.approx(0.3), "total_s": pytest.approx(0.3)}


def test_by_type_counts_refusals_of_every_question():
    found = measures.by_type(ROWS, [measures.scores_of(*row) for row in ROWS])
    assert list(found) == ["fact", "far", "near_unanswerable"]
    refused = {kind: own[-1].value for kind, own in found.items()}
    assert refused == {"fact": 0.0, "far": 1.0, "near_unanswerable": 0.0}


def test_right_without_a_must_list_means_a_gold_paper_cited():
    assert is_right(gold("Alpha"), RIGHT[1])
    assert not is_right(gold("Gamma"), RIGHT[1])
    assert "correct" not in measures.scores_of(gold("Alpha"), RIGHT[1])


def test_differences_are_paired_by_question():
    change = paired_difference({"a": 0.0, "b": 1.0, "x": 0.0}, {"b": 1.0, "a": 1.0, "y": 1.0}, "correct")
    assert (change.value, change.n) == (0.5, 2)
    assert paired_difference({}, {"a": 1.0}, "correct").value is None


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (RIGHT, ""),
        (FAR, ""),
        (NEAR, "answered what the papers do not answer"),
        ((RIGHT[0], FAILED), "failed"),
        ((RIGHT[0], DECLINED), "paper not found"),
        ((RIGHT[0], replace(DECLINED, passages=RIGHT[1].passages)), "refused although the paper was found"),
        (WRONG, "answer-bearing sentence not among the evidence"),
        (
            (WRONG[0], replace(WRONG[1], trace=RIGHT[1].trace)),
            "answer-bearing sentence found, another one cited",
        ),
        (
            (gold("Alpha", evidence=[("Alpha", "One is 5%.")], must=[("6%",)]), RIGHT[1]),
            "answer-bearing sentence cited, answer incomplete",
        ),
    ],
)
def test_the_cause_is_the_first_stage_that_went_wrong(row, cause):
    item = item_of(*row, {})
    assert item.cause == cause
    assert item.right == (cause == "")
