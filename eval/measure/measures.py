"""From answers to figures: the measures of each question, their means with intervals, and the curves.

The formulas live in `eval.metrics`; here is decided to which questions each applies. A measure that does
not apply to a question is absent there, and its mean is over the others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np

from eval import metrics
from eval.metrics.answers import sentences_with_unsupported_numbers
from eval.questions.questions import Gold
from rag.types import Answer

Row = tuple[Gold, Answer]
_Member = TypeVar("_Member")
PERCENTILES = (50, 90, 99)
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8)
JUDGE = metrics.RougeLStrict()
_RESAMPLES = 500
_TYPE_COLUMNS = (
    "recall@1", "recall@5", "evidence recall", "correct", "right paper cited", "refused",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval, over `n` questions; None when nothing could be measured."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Answers of similar confidence: their mean confidence, the share that was right, how many."""

    confidence: float
    right: float
    n: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of a stage at each of PERCENTILES, over the questions in which it ran."""

    stage: str
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """What the plots show. `risk`: (coverage of all questions, share wrong among the answers kept)."""

    recall: tuple[tuple[int, float], ...]
    risk: tuple[tuple[float, float], ...]
    reliability: tuple[ConfidenceBin, ...]
    latency: tuple[Latency, ...]


def is_right(gold: Gold, answer: Answer) -> bool:
    """Refused where there is no answer; else the must lists met; without any, a gold paper cited."""
    if not gold.answerable:
        return metrics.is_refusal(answer)
    return bool(metrics.is_correct(gold, answer)) if gold.must else metrics.has_right_citation(gold, answer)


def _only_answerable(of: Callable[[Gold, Answer], float | bool | None]) -> Callable[..., float | bool | None]:
    return lambda gold, answer: of(gold, answer) if gold.answerable else None


def _only_unanswerable(kind: str | None) -> Callable[..., bool | None]:
    return lambda gold, answer: (
        metrics.is_refusal(answer) if not gold.answerable and kind in {None, gold.type} else None
    )


# Name -> the measure of one question; None where it does not apply.
MEANS: Mapping[str, Callable[[Gold, Answer], float | bool | None]] = {
    "recall@1": _only_answerable(lambda g, a: metrics.recall_at(g, a, 1)),
    "recall@5": _only_answerable(lambda g, a: metrics.recall_at(g, a, 5)),
    "MRR@10": _only_answerable(metrics.mrr_at),
    "nDCG@10": _only_answerable(metrics.ndcg_at),
    "evidence recall": _only_answerable(metrics.evidence_recall),
    "evidence shown": _only_answerable(metrics.evidence_shown),
    "correct in 80 words": _only_answerable(
        lambda g, a: metrics.is_correct_and_short(g, a) if g.must else None
    ),
    "correct": _only_answerable(lambda g, a: metrics.is_correct(g, a) if g.must else None),
    "token F1": _only_answerable(metrics.answer_f1),
    "right paper cited": _only_answerable(
        lambda g, a: metrics.has_right_citation(g, a) if g.titles else None
    ),
    "share of cited papers right": _only_answerable(metrics.title_precision),
    "ALCE citation recall": lambda g, a: metrics.citation_recall(metrics.cited_sentences(a), JUDGE),
    "ALCE citation precision": lambda g, a: metrics.citation_precision(metrics.cited_sentences(a), JUDGE),
    "coverage of answerable": _only_answerable(lambda g, a: metrics.has_answer(a)),
    "false refusals": _only_answerable(lambda g, a: metrics.is_refusal(a)),
    "refusal recall": _only_unanswerable(None),
    "refusal recall, near": _only_unanswerable("near_unanswerable"),
    "refusal recall, far": _only_unanswerable("far"),
    "in the model's own words": lambda g, a: a.status == "answered" if metrics.has_answer(a) else None,
    "failed": lambda g, a: a.status == "error",
}
# Name -> the shown sentences of one answer that have it; over all sentences of all answers.
SENTENCES: Mapping[str, Callable[[Answer], Sequence[bool]]] = {
    "faithfulness": lambda a: metrics.verdicts(a, JUDGE),
    "unsupported numbers": sentences_with_unsupported_numbers,
}


def scores_of(gold: Gold, answer: Answer) -> dict[str, float]:
    """Every measure that applies to this question; of its sentences the share."""
    found = {name: of(gold, answer) for name, of in MEANS.items()}
    shares = {name: _share([of(answer)]) for name, of in SENTENCES.items()}
    known = {name: float(value) for name, value in found.items() if value is not None}
    return known | {name: value for name, value in shares.items() if not math.isnan(value)}


def overall(rows: Sequence[Row], scores: Sequence[Mapping[str, float]]) -> tuple[Measure, ...]:
    """Every measure over all questions."""
    means = [mean_of(name, [own.get(name) for own in scores]) for name in MEANS]
    flags = {name: [list(of(answer)) for _, answer in rows] for name, of in SENTENCES.items()}
    shown = [
        (answer.confidence, is_right(gold, answer)) for gold, answer in rows if metrics.has_answer(answer)
    ]
    asked = [(answer.confidence, gold.answerable) for gold, answer in rows if not answer.error]
    return (
        *means,
        *(_whole(name, [own for own in lists if own], _share) for name, lists in flags.items()),
        _whole("ECE, answers right", shown, _over_pairs(metrics.expected_calibration_error)),
        _whole("ECE, answerable", asked, _over_pairs(metrics.expected_calibration_error)),
        _whole("Brier, answers right", shown, _over_pairs(metrics.brier)),
        _whole("AURC", shown, _over_pairs(lambda c, right: metrics.aurc(c, [not r for r in right]))),
    )


def by_type(rows: Sequence[Row], scores: Sequence[Mapping[str, float]]) -> dict[str, tuple[Measure, ...]]:
    """The chief measures per type of question, without intervals; types in alphabetical order."""
    groups: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for (gold, answer), own in zip(rows, scores, strict=True):
        groups[gold.type].append({**own, "refused": float(metrics.is_refusal(answer))})
    return {
        name: tuple(_plain(column, own) for column in _TYPE_COLUMNS) for name, own in sorted(groups.items())
    }


def curves(rows: Sequence[Row]) -> Curves:
    """Recall by k, risk and coverage, reliability, seconds by stage."""
    wanted = [(gold, answer) for gold, answer in rows if gold.answerable and gold.titles]
    recall = [(k, metrics.mean([metrics.recall_at(g, a, k) for g, a in wanted])) for k in DEPTHS if wanted]
    shown = [
        (answer.confidence, is_right(gold, answer)) for gold, answer in rows if metrics.has_answer(answer)
    ]
    sure, right = [confidence for confidence, _ in shown], [one for _, one in shown]
    risk = metrics.risk_coverage(sure, [not one for one in right])
    share = len(shown) / len(rows) if rows else 0.0
    bins = metrics.reliability_bins(sure, right)
    stages = metrics.latency_by_stage([asdict(answer.timings) for _, answer in rows], PERCENTILES)
    return Curves(
        recall=tuple(recall),
        risk=tuple(
            (coverage * share, wrong) for coverage, wrong in zip(risk.coverages, risk.risks, strict=True)
        ),
        reliability=tuple(
            ConfidenceBin(found.confidence, found.accuracy, found.count) for found in bins if found.count
        ),
        latency=tuple(
            Latency(stage, tuple(seconds.values()))
            for stage, seconds in stages.items()
            if not math.isnan(next(iter(seconds.values())))
        ),
    )


def paired_difference(first: Mapping[str, float], second: Mapping[str, float], name: str) -> Measure:
    """Second minus first over the questions in both, paired by id."""
    common = sorted(first.keys() & second.keys())
    found = metrics.paired_bootstrap([first[one] for one in common], [second[one] for one in common])
    return measured(name, found.mean, found.low, found.high, found.count)


def mean_of(name: str, values: Sequence[float | None]) -> Measure:
    """The mean of what is not None, with its interval."""
    found = metrics.bootstrap_interval(values)
    return measured(name, found.mean, found.low, found.high, found.count)


def _plain(name: str, scores: Sequence[Mapping[str, float]]) -> Measure:
    known = [own[name] for own in scores if name in own]
    return measured(name, metrics.mean(known), math.nan, math.nan, len(scores))


def _share(lists: Sequence[Sequence[bool]]) -> float:
    return metrics.mean([flag for own in lists for flag in own])


def _over_pairs(
    of: Callable[[list[float], list[bool]], float],
) -> Callable[[Sequence[tuple[float, bool]]], float]:
    return lambda pairs: of([confidence for confidence, _ in pairs], [outcome for _, outcome in pairs])


def _whole(name: str, members: Sequence[_Member], of: Callable[[Sequence[_Member]], float]) -> Measure:
    """A measure of all members at once; questions are drawn again for its interval."""
    if not members:
        return measured(name, math.nan, math.nan, math.nan, 0)
    draw = np.random.default_rng(0)
    size = len(members)
    drawn = [of([members[place] for place in draw.integers(0, size, size)]) for _ in range(_RESAMPLES)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return measured(name, of(members), float(low), float(high), size)


def measured(name: str, value: float, low: float, high: float, n: int) -> Measure:
    """NaN has no place in JSON: None stands for it."""
    found = [None if math.isnan(figure) else float(figure) for figure in (value, low, high)]
    return Measure(name, found[0], found[1], found[2], n)
