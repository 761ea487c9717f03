from __future__ import annotations

import math

import pytest

from eval.metrics.calibration import brier, expected_calibration_error, reliability_bins

CONFIDENCES = [0.1, 0.3, 0.8, 0.9]
OUTCOMES = [False, True, True, True]


def test_bins() -> None:
    first, second = reliability_bins(CONFIDENCES, OUTCOMES, 2)
    assert (first.low, first.high, first.count, first.accuracy) == (0.0, 0.5, 2, 0.5)
    assert first.confidence == pytest.approx(0.2)
    assert (second.count, second.accuracy) == (2, 1.0)
    assert second.confidence == pytest.approx(0.85)


def test_edges_belong_to_the_lower_bin_and_both_ends_count() -> None:
    counts = [b.count for b in reliability_bins([0.0, 0.5, 1.0], [0, 1, 1], 2)]
    assert counts == [2, 1]


def test_ece() -> None:
    # 2/4 * |0.5 - 0.2| + 2/4 * |1 - 0.85| = 0.15 + 0.075
    assert expected_calibration_error(CONFIDENCES, OUTCOMES, 2) == pytest.approx(0.225)
    # one bin: |0.75 - 0.525|
    assert expected_calibration_error(CONFIDENCES, OUTCOMES, 1) == pytest.approx(0.225)
    # a bin each: (0.1 + 0.7 + 0.2 + 0.1) / 4
    assert expected_calibration_error(CONFIDENCES, OUTCOMES, 10) == pytest.approx(0.275)


def test_brier() -> None:
    # (0.01 + 0.49 + 0.04 + 0.01) / 4
    assert brier(CONFIDENCES, OUTCOMES) == pytest.approx(0.1375)


def test_brier_is_that_of_sklearn() -> None:
    from sklearn.metrics import brier_score_loss

    assert brier(CONFIDENCES, OUTCOMES) == pytest.approx(brier_score_loss(OUTCOMES, CONFIDENCES))


def test_zero_cases() -> None:
    assert math.isnan(expected_calibration_error([], []))
    assert math.isnan(brier([], []))
    empty = reliability_bins([], [], 3)
    assert [b.count for b in empty] == [0, 0, 0]
    assert math.isnan(empty[0].accuracy)


@pytest.mark.parametrize(
    ("confidences", "outcomes", "bins", "message"),
    [
        ([0.5], [1, 0], 10, "1 confidences, but 2 outcomes"),
        ([1.5], [1], 10, "outside"),
        ([float("nan")], [1], 10, "outside"),
        ([0.5], [1], 0, "at least 1"),
    ],
)
def test_what_is_refused(confidences, outcomes, bins, message) -> None:
    with pytest.raises(ValueError, match=message):
        reliability_bins(confidences, outcomes, bins)
