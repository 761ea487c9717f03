"""How well a score tells two classes apart: AUC, balanced accuracy, precision and recall at a bar. Pure.

A member counts as told positive when its score reaches the bar: score >= threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

NAN = float("nan")


def auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area under the ROC curve = share of (positive, negative) pairs in order, a tie counting half.

    Mann-Whitney U / (positives * negatives) over average ranks (Hanley and McNeil, 1982).
    Zero case: nan when a class has no member.
    """
    values, positive = _checked(scores, labels)
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        return NAN
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def balanced_accuracy(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """(recall of the positive + recall of the negative) / 2 (Brodersen et al., 2010); .5 says nothing.

    Zero case: nan when a class has no member.
    """
    values, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        return NAN
    told = values >= threshold
    return float((told[positive].mean() + (~told[~positive]).mean()) / 2)


def precision_at(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Share of the positive among those that reach the bar; nan when none does."""
    values, positive = _checked(scores, labels)
    told = values >= threshold
    return float(positive[told].mean()) if told.any() else NAN


def recall_at(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Share of the positive that reach the bar; nan when there is none."""
    values, positive = _checked(scores, labels)
    return float((values[positive] >= threshold).mean()) if positive.any() else NAN


def best_threshold(scores: ArrayLike, labels: ArrayLike) -> float:
    """The score at which, as a bar, balanced accuracy is highest; of equals the highest, which lets least by.

    Zero case: nan when a class has no member.
    """
    values, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        return NAN
    bars = np.unique(values)[::-1]
    ordered = (np.sort(values[positive]), np.sort(values[~positive]))
    below = [np.searchsorted(own, bars, side="left") / len(own) for own in ordered]
    return float(bars[np.argmax(below[1] - below[0])])


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, positive = np.asarray(scores, dtype=float), np.asarray(labels, dtype=bool)
    if values.shape != positive.shape:
        raise ValueError(f"{len(values)} scores, but {len(positive)} labels")
    return values, positive
