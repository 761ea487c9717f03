"""What is gained by declining the least confident answers: risk-coverage curve and its area. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Points of the curve, from the most confident threshold down; `thresholds` decrease, coverages grow."""

    thresholds: tuple[float, ...]
    coverages: tuple[float, ...]
    risks: tuple[float, ...]


def risk_coverage(confidences: Sequence[float], losses: Sequence[float | bool]) -> RiskCoverage:
    """Coverage and selective risk at every threshold (El-Yaniv and Wiener, 2010; Geifman and El-Yaniv, 2017).

    At threshold t the answers with confidence >= t are kept: coverage = kept / all, risk = mean loss of the
    kept (1 for a wrong answer, 0 for a right one). Equal confidences are kept or dropped together, so the
    order of the input does not matter. Zero case: no points without answers.

    :raises ValueError: if the lengths differ.
    """
    values, costs = _paired(confidences, losses)
    thresholds = np.unique(values)[::-1]
    kept = [values >= threshold for threshold in thresholds]
    return RiskCoverage(
        tuple(float(t) for t in thresholds),
        tuple(float(mask.mean()) for mask in kept),
        tuple(float(costs[mask].mean()) for mask in kept),
    )


def aurc(confidences: Sequence[float], losses: Sequence[float | bool]) -> float:
    """Area under the risk-coverage curve: AURC = 1/n sum over answers i of the risk at threshold conf_i.

    Geifman, Uziel and El-Yaniv (2019), equation 2; lower is better. Zero case: nan without answers.
    """
    values, _ = _paired(confidences, losses)
    if len(values) == 0:
        return float("nan")
    curve = risk_coverage(confidences, losses)
    shares = np.diff(curve.coverages, prepend=0.0)
    return float(shares @ np.array(curve.risks))


def excess_aurc(confidences: Sequence[float], losses: Sequence[float | bool]) -> float:
    """E-AURC = AURC - AURC of the best order of the same losses (Geifman et al., 2019); 0.0 is perfect.

    The best order keeps the smallest losses first, one by one. Zero case: nan without answers.
    """
    best = np.sort(np.asarray(losses, dtype=float))
    if len(best) == 0:
        return float("nan")
    ideal = float((np.cumsum(best) / np.arange(1, len(best) + 1)).mean())
    return aurc(confidences, losses) - ideal


def risk_at_coverage(confidences: Sequence[float], losses: Sequence[float | bool], least: float) -> float:
    """The risk at the highest threshold whose coverage is at least `least`; nan without answers."""
    curve = risk_coverage(confidences, losses)
    reached = (r for c, r in zip(curve.coverages, curve.risks, strict=True) if c >= least - 1e-12)
    return next(reached, float("nan"))


def _paired(confidences: Sequence[float], losses: Sequence[float | bool]) -> tuple[np.ndarray, np.ndarray]:
    if len(confidences) != len(losses):
        raise ValueError(f"{len(confidences)} confidences, but {len(losses)} losses")
    return np.asarray(confidences, dtype=float), np.asarray(losses, dtype=float)
