"""How sure a mean is, whether two runs differ, and how long stages take. Pure; seeded; numpy only."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 0
NAN = float("nan")
PERCENTILES = (50.0, 90.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its bootstrap percentile interval; `count` values went in."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of second minus first over the same questions; `p` is two-sided."""

    mean: float
    low: float
    high: float
    p: float
    count: int


def bootstrap_interval(
    values: Sequence[float | bool | None],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Percentile interval of the mean (Efron and Tibshirani, 1993, chapter 13); Nones are left out.

    The ends are the (1 - level) / 2 and (1 + level) / 2 quantiles of the means of `resamples` draws with
    replacement. Zero cases: all nan without values; one value is its own interval.
    """
    known = np.array([float(value) for value in values if value is not None])
    if len(known) == 0:
        return Interval(NAN, NAN, NAN, 0)
    low, high = _ends(_means(known, resamples, seed), level)
    return Interval(float(known.mean()), low, high, len(known))


def clustered_bootstrap(
    of: Callable[[NDArray[np.intp]], float],
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES // 4,
    seed: int = SEED,
) -> Interval:
    """Percentile interval of any figure, whole clusters drawn (Davison and Hinkley, 1997, section 3.8).

    `of` computes the figure from places, with repeats; members of one cluster (pairs of one claim, questions
    on one passage) are not independent, so they are drawn together. Resamples in which the figure is not
    defined are left out. Zero cases: all nan without members, or where the figure itself is nan.
    """
    members: dict[Hashable, list[int]] = {}
    for place, name in enumerate(clusters):
        members.setdefault(name, []).append(place)
    whole = of(np.arange(len(clusters))) if members else NAN
    if np.isnan(whole):
        return Interval(NAN, NAN, NAN, len(clusters))
    groups = [np.array(places) for places in members.values()]
    generator = np.random.default_rng(seed)
    drawn = [
        of(np.concatenate([groups[n] for n in generator.integers(0, len(groups), len(groups))]))
        for _ in range(resamples)
    ]
    low, high = _ends(np.array([one for one in drawn if not np.isnan(one)]), level)
    return Interval(float(whole), low, high, len(clusters))


def paired_bootstrap(
    first: Sequence[float | bool | None],
    second: Sequence[float | bool | None],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Second minus first, question by question (Berg-Kirkpatrick et al., 2012; Koehn, 2004).

    A pair with a None is left out. p = 2 * min(share of resampled means <= 0, share >= 0), at most 1.
    Zero cases: all nan without pairs; p 1.0 when every pair is equal.

    :raises ValueError: if the lengths differ: the runs answered different questions.
    """
    if len(first) != len(second):
        raise ValueError(f"runs of {len(first)} and {len(second)} questions cannot be paired")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not pairs:
        return Difference(NAN, NAN, NAN, NAN, 0)
    gaps = np.array([float(b) - float(a) for a, b in pairs])
    means = _means(gaps, resamples, seed)
    low, high = _ends(means, level)
    p = 2 * min(float((means <= 0).mean()), float((means >= 0).mean()))
    return Difference(float(gaps.mean()), low, high, min(p, 1.0), len(gaps))


def _means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means of resamples, drawn one by one so that memory stays small."""
    generator = np.random.default_rng(seed)
    size = len(values)
    return np.array([values[generator.integers(0, size, size)].mean() for _ in range(resamples)])


def _ends(means: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def latency_percentiles(
    seconds: Sequence[float], percentiles: Sequence[float] = PERCENTILES
) -> dict[str, float]:
    """{'p50': ..., 'p90': ...} with linear interpolation between order statistics; nan without values."""
    if not len(seconds):
        return {f"p{q:g}": float("nan") for q in percentiles}
    found = np.percentile(np.asarray(seconds, dtype=float), percentiles)
    return {f"p{q:g}": float(value) for q, value in zip(percentiles, found, strict=True)}


def latency_by_stage(
    timings: Sequence[Mapping[str, float]], percentiles: Sequence[float] = PERCENTILES
) -> dict[str, dict[str, float]]:
    """`latency_percentiles` of each stage ('retrieve_s', ...), over the answers in which it ran (above 0)."""
    stages = dict.fromkeys(stage for timing in timings for stage in timing)
    return {
        stage: latency_percentiles([t[stage] for t in timings if t.get(stage, 0.0) > 0.0], percentiles)
        for stage in stages
    }
