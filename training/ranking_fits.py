"""Fits the order of papers, and which of them answer: `papers`, `reading`, `contributing`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.evidence.contributing import Contributing, contributing_features
from rag.models.logistic import LogisticModel
from rag.rerank.cross_encoder import leads, paper_features
from rag.rerank.paper_reading import by_readings, reading_features
from rag.settings import Settings
from rag.types import Passage, Ranking
from training.collections import QuestionCase, RetrievedCase, in_turn
from training.regression import Features, fit, save, where


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """What puts papers in their order; `reading` None where no reader was asked."""

    papers: LogisticModel
    settings: Settings
    reading: LogisticModel | None = None


def read_of(asked: RetrievedCase, order: RankingWeights | None) -> Ranking:
    """The passages as the product would order them; None where nothing was read."""
    if order is None:
        return Ranking(tuple(asked.passages[:10]), {}, asked.texts)
    found, sure = in_turn(asked, order.papers, order.settings)
    if order.reading is not None:
        found = by_readings(as_read(found, order.settings, sure=sure), order.reading)
    return found.first(10)


def as_read(found: Ranking, settings: Settings, *, sure: bool) -> Ranking:
    """With the readings the product would have: of the first where it is sure and tells, else of a few."""
    own = found.relevance
    read = [p.paper.paper_id for p in found.passages if p.paper.paper_id in own]
    alone = sure and (own[read[0]].telling or 0.0) > 0
    kept = set(read[: 1 if alone else settings.read_top_k])
    unread = {key: replace(one, likelihood=None, telling=None) for key, one in own.items() if key not in kept}
    return replace(found, relevance={**own, **unread})


def fit_papers(asked: Sequence[RetrievedCase], settings: Settings) -> LogisticModel:
    """Which paper the question is about."""
    rows, labels, halves = [], [], []
    for one in asked:
        for passage, lead, reading in zip(one.passages, leads(one.passages), one.relevance, strict=True):
            rows.append(paper_features(passage, lead, reading))
            labels.append(passage.paper.paper_id in one.put.right)
            halves.append(one.put.first_half)
    fitted = fit(where(rows, halves), where(labels, halves))
    held = [one for one in asked if not one.put.first_half]
    order = RankingWeights(fitted, settings)
    report = {
        f"recall@{k}": share(_right(read_of(o, order).passages[:k], o.put) for o in held) for k in (1, 5)
    }
    report |= {f"unread recall@{k}": share(_right(o.passages[:k], o.put) for o in held) for k in (1, 5)}
    shipped = fit(rows, labels)
    save("papers", shipped, {**report, "questions": len(held)})
    return shipped


def fit_reading(asked: Sequence[RetrievedCase], papers: LogisticModel, settings: Settings) -> LogisticModel:
    """Which paper the question is about, of those that the reader read."""
    rows, labels, halves = [], [], []
    for one in asked:
        found, sure = in_turn(one, papers, settings)
        found = as_read(found, settings, sure=sure)
        own = {key: read for key, read in found.relevance.items() if read.telling is not None}
        best = max((read.likelihood or 0.0 for read in own.values()), default=0.0)
        most = max((read.telling or 0.0 for read in own.values()), default=0.0)
        for passage in found.passages:
            if passage.paper.paper_id in own:
                rows.append(reading_features(passage, own[passage.paper.paper_id], best, most))
                labels.append(passage.paper.paper_id in one.put.right)
                halves.append(one.put.first_half)
    fitted = fit(where(rows, halves), where(labels, halves))
    held = [one for one in asked if not one.put.first_half]
    report = {
        f"{name} recall@{k}": share(_right(read_of(o, order).passages[:k], o.put) for o in held)
        for name, order in (
            ("unread", RankingWeights(papers, settings)),
            ("read", RankingWeights(papers, settings, fitted)),
        )
        for k in (1, 3, 5)
    }
    shipped = fit(rows, labels)
    save("reading", shipped, {**report, "questions": len(held)})
    return shipped


def fit_contributing(asked: Sequence[RetrievedCase], order: RankingWeights) -> None:
    """Which papers behind the first one answer as well; questions over several papers weigh half of all."""
    rows, labels, halves, weights = [], [], [], []
    several = sum(len(one.put.right) > 1 for one in asked)
    counts = {True: max(1, several), False: max(1, len(asked) - several)}
    held: list[tuple[RetrievedCase, Ranking]] = []
    for one in asked:
        found = read_of(one, order)
        if not one.put.first_half:
            held.append((one, found))
        read = [p for p in found.passages if _telling(found, p) is not None]
        for passage in read[1:]:
            own, best = (found.relevance[p.paper.paper_id] for p in (passage, read[0]))
            rows.append(contributing_features(one.put.question, passage, read[0], own, best))
            labels.append(passage.paper.paper_id in one.put.right)
            halves.append(one.put.first_half)
            weights.append(500.0 / counts[len(one.put.right) > 1])
    fitted = fit(where(rows, halves), where(labels, halves), where(weights, halves), strength=0.3)
    report: Features = {"questions": len(held)}
    for least in (0.3, 0.4, 0.5, 0.6, 0.7):
        told = [(one, _contributing(one, found, fitted, least)) for one, found in held]
        single = [papers for one, papers in told if len(one.put.right) == 1]
        parts = [(one.put.right.keys(), papers) for one, papers in told if len(one.put.right) > 1]
        report[f"one told of one at {least}"] = share(len(papers) == 1 for papers in single)
        report[f"parts told of several at {least}"] = float(
            np.mean([len(right & set(papers)) / len(right) for right, papers in parts])
        )
        report[f"right of those told at {least}"] = float(
            np.mean([len(right & set(papers)) / max(len(papers), 1) for right, papers in parts])
        )
    save("contributing", fit(rows, labels, weights, strength=0.3), report)


def _telling(found: Ranking, passage: Passage) -> float | None:
    own = found.relevance.get(passage.paper.paper_id)
    return None if own is None else own.telling


def _contributing(one: RetrievedCase, found: Ranking, weights: LogisticModel, least: float) -> list[str]:
    read = {key: own for key, own in found.relevance.items() if own.telling is not None}
    return Contributing(weights, least)(one.put.question, found.passages, read)


def share(flags: Iterable[bool]) -> float:
    """The share of them that are set."""
    return float(np.mean(list(flags)))


def _right(passages: Sequence[Passage], put: QuestionCase) -> bool:
    return any(p.paper.paper_id in put.right for p in passages)
