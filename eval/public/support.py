"""Verification sets measured: the verifier as it runs, beside plain baselines.

The shipped bar is `support_min`. What a better bar would bring is measured fairly: the bar that is best on
one half of the claims, on the other half.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eval.measure.measures import Measure
from eval.metrics.discrimination import auc, balanced_accuracy, best_threshold, precision_at, recall_at
from eval.metrics.statistics import bootstrap_interval, clustered_bootstrap
from eval.public.results import FailureCase, SetFindings, Table, most, of_interval, plain_figure
from eval.public.verification_sets import ClaimPair
from rag.ports import Verifier
from rag.verify.checks import veto

VERIFIER, VETOED, CHECKS = "verifier", "checks, then verifier (shipped)", "checks alone"
DECISION = "right decisions"
_AT_ONCE = 64
Told = Callable[[int], None]
Scorer = Callable[[Sequence[tuple[str, str]]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a system says of every pair; `bar` is the one it ships with, None for a baseline."""

    values: NDArray[np.float64]
    bar: float | None


def measure_support(
    pairs: Sequence[ClaimPair],
    verifier: Verifier,
    baselines: Mapping[str, Scorer],
    *,
    support_min: float,
    told: Told,
) -> SetFindings:
    """Tables, causes and worst cases over the pairs; `told` hears how many are done."""
    faults: list[str | None] = []
    scored: dict[str, list[float]] = {name: [] for name in (VERIFIER, *baselines)}
    for start in range(0, len(pairs), _AT_ONCE):
        claims = [(pair.claim, pair.evidence) for pair in pairs[start : start + _AT_ONCE]]
        faults += [veto(*claim) for claim in claims]
        scored[VERIFIER] += verifier.support(claims)
        for name, scorer in baselines.items():
            scored[name] += scorer(claims)
        told(start + len(claims))
    systems = _systems(scored, faults, support_min)
    causes, cases = _errors(pairs, faults, systems[VETOED])
    tables = (discrimination(pairs, systems), _by_label(pairs, systems))
    return SetFindings(tables, causes, most(cases), DECISION, _decisions(pairs, systems[VETOED]))


def _systems(
    scored: Mapping[str, list[float]], faults: Sequence[str | None], support_min: float
) -> dict[str, Scores]:
    """A sentence that fails a check is dropped whatever its support: its score is 0."""
    sound = np.array([reason is None for reason in faults], dtype=float)
    values = {name: np.array(own, dtype=float) for name, own in scored.items()}
    return {
        VETOED: Scores(values[VERIFIER] * sound, support_min),
        VERIFIER: Scores(values[VERIFIER], support_min),
        CHECKS: Scores(sound, 1.0),
        **{name: Scores(own, None) for name, own in values.items() if name != VERIFIER},
    }


def discrimination(pairs: Sequence[ClaimPair], systems: Mapping[str, Scores]) -> Table:
    """Supported or not: how well each system tells; intervals draw whole claims."""
    labels = np.array([pair.supported for pair in pairs])
    claims = [pair.claim for pair in pairs]
    return Table("Supported or not", {name: _row(own, labels, claims) for name, own in systems.items()})


def _row(own: Scores, labels: NDArray[np.bool_], claims: Sequence[str]) -> tuple[Measure, ...]:
    choosing = np.array([chooses(claim) for claim in claims])
    bar = best_threshold(own.values[choosing], labels[choosing])
    rest = np.flatnonzero(~choosing)
    at_shipped = {"balanced accuracy": balanced_accuracy, "precision": precision_at, "recall": recall_at}
    return (
        _figure("AUC", own.values, labels, claims, auc),
        *(
            _figure(name, own.values, labels, claims, _at(of, own.bar))
            if own.bar is not None
            else plain_figure(name, float("nan"), 0)
            for name, of in at_shipped.items()
        ),
        plain_figure("best bar", bar, int(choosing.sum())),
        _figure(
            "balanced accuracy at it",
            own.values[rest],
            labels[rest],
            [claims[place] for place in rest.tolist()],
            _at(balanced_accuracy, bar),
        ),
    )


Figure = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]


def _at(of: Callable[..., float], bar: float) -> Figure:
    return partial(of, threshold=bar)


def _figure(
    name: str, values: NDArray[np.float64], labels: NDArray[np.bool_], claims: Sequence[str], of: Figure
) -> Measure:
    return of_interval(name, clustered_bootstrap(lambda places: of(values[places], labels[places]), claims))


def chooses(claim: str) -> bool:
    """Half of the claims choose the bar, the others are measured with it; by hash, so it never changes."""
    return hashlib.sha256(claim.encode()).digest()[0] % 2 == 0


def _by_label(pairs: Sequence[ClaimPair], systems: Mapping[str, Scores]) -> Table:
    """The share of each label that is let by at the shipped bar."""
    kinds = sorted({pair.label for pair in pairs})
    rows = {
        name: tuple(
            of_interval(
                kind,
                bootstrap_interval(
                    [v >= own.bar for v, pair in zip(own.values, pairs, strict=True) if pair.label == kind]
                ),
            )
            for kind in kinds
        )
        for name, own in systems.items()
        if own.bar is not None
    }
    return Table("Share let by, per label", rows)


def _decisions(pairs: Sequence[ClaimPair], shipped: Scores) -> dict[str, float]:
    """1.0 where the shipped check decides as the set does."""
    assert shipped.bar is not None
    told = shipped.values >= shipped.bar
    return {pair.id: float(pair.supported == by) for pair, by in zip(pairs, told, strict=True)}


def _errors(
    pairs: Sequence[ClaimPair], faults: Sequence[str | None], shipped: Scores
) -> tuple[dict[str, int], list[FailureCase]]:
    """Where the shipped check is wrong, counted; as cases the unsupported claims that are let by."""
    assert shipped.bar is not None
    causes: dict[str, int] = {}
    cases = []
    for pair, reason, value in zip(pairs, faults, shipped.values, strict=True):
        if pair.supported == (value >= shipped.bar):
            continue
        cause = f"let by: {pair.label}"
        if pair.supported:
            cause = f"dropped: {reason.split(':')[0]}" if reason else "dropped: support below the bar"
        causes[cause] = causes.get(cause, 0) + 1
        if not pair.supported:
            cases.append(FailureCase(pair.id, pair.claim, pair.evidence[:600], float(value), cause))
    return causes, cases
