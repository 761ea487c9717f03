"""Whether a confidence of 0.8 is right 80 % of the time: bins, ECE, Brier. Pure; numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin (low, high] of a reliability plot; the first holds its lower edge too.

    `confidence` and `accuracy` are means over its `count` members, nan when it is empty.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability_bins(
    confidences: Sequence[float], outcomes: Sequence[bool | float], bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """`bins` equal-width bins over 0..1, empty ones included (Guo et al., ICML 2017, section 2).

    :raises ValueError: if the lengths differ, `bins` is below 1, or a confidence lies outside 0..1.
    """
    values, right = _checked(confidences, outcomes)
    if bins < 1:
        raise ValueError(f"bins is {bins}; at least 1 is needed")
    edges = np.linspace(0.0, 1.0, bins + 1)
    places = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, bins - 1)
    return tuple(_bin(edges[n], edges[n + 1], values[places == n], right[places == n]) for n in range(bins))


def _bin(low: float, high: float, values: np.ndarray, right: np.ndarray) -> ReliabilityBin:
    if len(values) == 0:
        return ReliabilityBin(float(low), float(high), 0, float("nan"), float("nan"))
    return ReliabilityBin(float(low), float(high), len(values), float(values.mean()), float(right.mean()))


def expected_calibration_error(
    confidences: Sequence[float], outcomes: Sequence[bool | float], bins: int = BINS
) -> float:
    """ECE = sum over bins of count/n * |accuracy - confidence| (Naeini et al., 2015; Guo et al., 2017).

    Zero case: nan without answers; an empty bin adds nothing.
    """
    found = reliability_bins(confidences, outcomes, bins)
    if not len(confidences):
        return float("nan")
    return sum(b.count * abs(b.accuracy - b.confidence) for b in found if b.count) / len(confidences)


def brier(confidences: Sequence[float], outcomes: Sequence[bool | float]) -> float:
    """Brier score = mean of (confidence - outcome) squared (Brier, 1950); nan without answers."""
    values, right = _checked(confidences, outcomes)
    return float(np.mean((values - right) ** 2)) if len(values) else float("nan")


def _checked(confidences: Sequence[float], outcomes: Sequence[bool | float]) -> tuple[np.ndarray, np.ndarray]:
    values, right = np.asarray(confidences, dtype=float), np.asarray(outcomes, dtype=float)
    if len(values) != len(right):
        raise ValueError(f"{len(values)} confidences, but {len(right)} outcomes")
    if len(values) and not (values.min() >= 0.0 and values.max() <= 1.0):
        raise ValueError("a confidence lies outside 0..1")
    return values, right
