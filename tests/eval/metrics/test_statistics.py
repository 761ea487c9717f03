from __future__ import annotations

import math

import numpy as np
import pytest

from eval.metrics.statistics import (
    bootstrap_interval,
    clustered_bootstrap,
    latency_by_stage,
    latency_percentiles,
    paired_bootstrap,
)


def test_an_interval_holds_the_mean_and_is_repeatable() -> None:
    values = [True] * 60 + [False] * 40 + [None]
    found = bootstrap_interval(values)
    assert (found.mean, found.count) == (0.6, 100)
    # normal approximation: 0.6 +- 1.96 * sqrt(0.24 / 100) = 0.504 to 0.696
    assert found.low == pytest.approx(0.504, abs=0.015)
    assert found.high == pytest.approx(0.696, abs=0.015)
    assert found == bootstrap_interval(values)
    assert found != bootstrap_interval(values, seed=1)
    narrow = bootstrap_interval(values, level=0.5)
    assert found.low < narrow.low < narrow.high < found.high


def test_an_interval_of_equal_values_is_a_point() -> None:
    assert bootstrap_interval([0.25, 0.25], resamples=20).low == 0.25
    found = bootstrap_interval([3.0], resamples=20)
    assert (found.mean, found.low, found.high) == (3.0, 3.0, 3.0)


def test_interval_zero_case() -> None:
    found = bootstrap_interval([None])
    assert found.count == 0
    assert math.isnan(found.mean)


def test_pairs() -> None:
    # gaps 1 0 1 0 ...: mean 0.5, and no resample of forty comes near 0
    found = paired_bootstrap([0.0] * 40, [1.0, 0.0] * 20)
    assert (found.mean, found.count, found.p) == (0.5, 40, 0.0)
    assert 0.3 < found.low < 0.5 < found.high < 0.7
    back = paired_bootstrap([1.0, 0.0] * 20, [0.0] * 40)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))


def test_pairs_that_do_not_differ() -> None:
    same = paired_bootstrap([1, 0, None], [1, 0, 1], resamples=50)
    assert (same.mean, same.low, same.high, same.p, same.count) == (0.0, 0.0, 0.0, 1.0, 2)


def test_pair_zero_cases() -> None:
    assert math.isnan(paired_bootstrap([None], [1.0]).p)
    with pytest.raises(ValueError, match="1 and 2 questions"):
        paired_bootstrap([1.0], [1.0, 2.0])


def test_latency() -> None:
    # 1..5: the median is 3; p90 lies 0.9 * 4 = 3.6 steps in: 4.6
    assert latency_percentiles([5, 1, 4, 2, 3], (50, 90)) == pytest.approx({"p50": 3.0, "p90": 4.6})
    assert math.isnan(latency_percentiles([])["p99"])


def test_latency_leaves_out_stages_that_did_not_run() -> None:
    found = latency_by_stage([{"a_s": 1.0, "b_s": 0.0}, {"a_s": 3.0, "b_s": 4.0}], (50,))
    assert found == {"a_s": {"p50": 2.0}, "b_s": {"p50": 4.0}}


def test_clusters_are_drawn_whole() -> None:
    values = np.array([1.0, 1.0, 0.0, 0.0])

    def mean(places):
        return float(values[places].mean())

    alone = clustered_bootstrap(mean, range(4), resamples=400)
    # two clusters of equal values: every draw is 0, 1/2 or 1, and both ends are reached
    together = clustered_bootstrap(mean, ["a", "a", "b", "b"], resamples=400)
    assert (alone.mean, alone.count) == (together.mean, together.count) == (0.5, 4)
    assert (together.low, together.high) == (0.0, 1.0)
    assert together == clustered_bootstrap(mean, ["a", "a", "b", "b"], resamples=400)


def test_figures_that_are_not_defined_have_no_interval() -> None:
    assert math.isnan(clustered_bootstrap(lambda _: math.nan, ["a"]).low)
    assert clustered_bootstrap(lambda _: 1.0, []).count == 0

    def only_without_the_first(places):
        return math.nan if 0 in places and len(set(places)) == 1 else 1.0

    assert clustered_bootstrap(only_without_the_first, ["a", "b"], resamples=50).low == 1.0
