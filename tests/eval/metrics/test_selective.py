from __future__ import annotations

import math

import pytest

from eval.metrics.selective import aurc, excess_aurc, risk_at_coverage, risk_coverage

CONFIDENCES = [0.9, 0.8, 0.7, 0.6]
LOSSES = [0, 1, 0, 1]


def test_the_curve() -> None:
    curve = risk_coverage(CONFIDENCES, LOSSES)
    assert curve.thresholds == (0.9, 0.8, 0.7, 0.6)
    assert curve.coverages == (0.25, 0.5, 0.75, 1.0)
    assert curve.risks == pytest.approx((0, 1 / 2, 1 / 3, 1 / 2))


def test_area() -> None:
    # (0 + 1/2 + 1/3 + 1/2) / 4 = 1/3
    assert aurc(CONFIDENCES, LOSSES) == pytest.approx(1 / 3)
    # best order 0 0 1 1: (0 + 0 + 1/3 + 1/2) / 4 = 5/24; 8/24 - 5/24
    assert excess_aurc(CONFIDENCES, LOSSES) == pytest.approx(3 / 24)
    assert excess_aurc([4, 3, 2, 1], [0, 0, 1, 1]) == pytest.approx(0.0)


def test_equal_confidences_go_together_in_any_order() -> None:
    # 0.9 keeps two of them at risk 1/2, then three at 1/3: 2/3 * 1/2 + 1/3 * 1/3 = 4/9
    for losses in ([1, 0, 0], [0, 1, 0]):
        assert risk_coverage([0.9, 0.9, 0.1], losses).coverages == pytest.approx((2 / 3, 1.0))
        assert aurc([0.9, 0.9, 0.1], losses) == pytest.approx(4 / 9)


def test_risk_at_coverage() -> None:
    assert risk_at_coverage(CONFIDENCES, LOSSES, 0.5) == 0.5
    assert risk_at_coverage(CONFIDENCES, LOSSES, 0.6) == pytest.approx(1 / 3)
    assert risk_at_coverage(CONFIDENCES, LOSSES, 0.0) == 0.0


def test_zero_cases() -> None:
    assert risk_coverage([], []).coverages == ()
    assert all(math.isnan(f([], [])) for f in (aurc, excess_aurc))
    assert math.isnan(risk_at_coverage([], [], 0.5))
    with pytest.raises(ValueError, match="2 confidences, but 1 losses"):
        aurc([0.1, 0.2], [1])
