from __future__ import annotations

import math

import numpy as np
import pytest

from eval.metrics.discrimination import auc, balanced_accuracy, best_threshold, precision_at, recall_at

SCORES = [0.9, 0.8, 0.8, 0.3, 0.1]
LABELS = [True, True, False, True, False]


def test_auc_counts_pairs_in_order_and_ties_half() -> None:
    # positives .9 .8 .3 against negatives .8 .1: 1 + 1, 1/2 + 1, 0 + 1 of six pairs
    assert auc(SCORES, LABELS) == pytest.approx(4.5 / 6)
    assert auc([1, 2, 3], [False, True, True]) == 1.0
    assert auc([1, 2, 3], [True, False, False]) == 0.0
    assert auc([5, 5, 5, 5], [True, False, True, False]) == 0.5


def test_a_bar_lets_by_what_reaches_it() -> None:
    # at .8: two of three positives reach it, one of two negatives stays below
    assert balanced_accuracy(SCORES, LABELS, 0.8) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert precision_at(SCORES, LABELS, 0.8) == pytest.approx(2 / 3)
    assert recall_at(SCORES, LABELS, 0.8) == pytest.approx(2 / 3)
    assert recall_at(SCORES, LABELS, 0.81) == pytest.approx(1 / 3)


def test_the_best_bar_is_the_highest_of_the_best() -> None:
    # balanced accuracy at .9 .8 .3 .1 is 2/3, 7/12, 3/4, 1/2
    assert best_threshold(SCORES, LABELS) == 0.3
    # .9 and .5 are as good as each other
    assert best_threshold([0.9, 0.7, 0.5, 0.1], [True, False, True, False]) == 0.9


def test_zero_cases() -> None:
    for labels in ([True, True], [False, False]):
        assert math.isnan(auc([0.1, 0.2], labels))
        assert math.isnan(balanced_accuracy([0.1, 0.2], labels, 0.1))
        assert math.isnan(best_threshold([0.1, 0.2], labels))
    assert math.isnan(precision_at([0.1], [True], 0.5))
    assert math.isnan(recall_at([0.1], [False], 0.5))
    assert math.isnan(auc([], []))


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 scores, but 1 labels"):
        auc([0.1, 0.2], [True])


def test_the_best_bar_is_what_a_search_finds() -> None:
    draw = np.random.default_rng(3)
    scores, labels = draw.integers(0, 9, 60) / 8, draw.integers(0, 2, 60).astype(bool)
    reached = {bar: balanced_accuracy(scores, labels, bar) for bar in scores}
    best = best_threshold(scores, labels)
    assert reached[best] == pytest.approx(max(reached.values()))
