"""Fits the shipped logistic weights (`rag/data/*.json`) on questions over papers that are not ours.

    python -m training.logistic --data FOLDER --kept FILE   written questions, grounded_qa/clapnq_a.jsonl

The papers are dealt into collections of about 160, the size of the shipped corpus; every question is asked of
the collection that holds its paper and, as one that nothing answers, of the next one. Only questions about
papers that no trained model has seen are asked (`training.collections`); one half fits what is measured
on the other half, and what ships is fitted on both. Neither the shipped corpus nor eval/questions is touched.

Two sets of weights: with the trained models' signals (`papers`, `reading`, `support_trained`, what ends in
`_read`) and without (`evidence`, `confidence`, `support`), for where those are missing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.evidence.answerability import answer_features
from rag.evidence.features import Candidate, candidates_of, score, sentence_features
from rag.models.logistic import LogisticModel
from rag.settings import Settings
from rag.types import Ranking
from training.collections import Collections, RetrievedCase, questions_of
from training.ranking_fits import (
    RankingWeights,
    fit_contributing,
    fit_papers,
    fit_reading,
    read_of,
    share,
)
from training.regression import Features, fit, save, where
from training.support_fits import fit_both

_SHARES = {"answerable": 0.45, "several": 0.05, "near": 0.22, "absent": 0.14, "far": 0.07, "crossed": 0.07}
ANSWERED = {"answerable", "several"}


def fit_evidence(asked: Sequence[RetrievedCase], order: RankingWeights | None, name: str) -> LogisticModel:
    """Which sentence carries the answer."""
    rows, labels, halves = [], [], []
    for one in asked:
        for features, label in _sentence_rows(one, order):
            rows.append(features)
            labels.append(label)
            halves.append(one.put.first_half)
    fitted = fit(where(rows, halves), where(labels, halves))
    held = [one for one in asked if not one.put.first_half]
    hits = np.array([_hits(one, order, fitted) for one in held])
    shipped = fit(rows, labels)
    save(name, shipped, {"best_1": hits[:, 0].mean(), "best_5": hits.any(1).mean(), "questions": len(held)})
    return shipped


def _hits(one: RetrievedCase, order: RankingWeights | None, model: LogisticModel) -> list[bool]:
    """Whether each of the five best sentences is evidence."""
    found = read_of(one, order)
    best = score(one.put.question, _candidates(one, found), model, one.idf)[:5]
    hits = [one.put.bears(s.candidate) for s in best]
    return hits + [False] * (5 - len(hits))


def _candidates(one: RetrievedCase, found: Ranking) -> list[Candidate]:
    cosines = [one.cosines[passage.paper.paper_id] for passage in found.read_passages]
    return candidates_of(found.read_passages, cosines, found.texts, found.relevance)


def _sentence_rows(one: RetrievedCase, order: RankingWeights | None) -> Iterator[tuple[Features, bool]]:
    found = read_of(one, order)
    best = max(p.score for p in found.passages)
    for candidate in _candidates(one, found):
        yield sentence_features(one.put.question, candidate, best, one.idf), one.put.bears(candidate)


def fit_confidence(
    asked: Sequence[RetrievedCase], before: tuple[RankingWeights | None, LogisticModel], name: str
) -> None:
    """Answerable or not; each kind of question weighs a fixed share, answerable ones half of all."""
    order, evidence = before
    counts = {kind: sum(one.put.kind == kind for one in asked) for kind in _SHARES}
    rows, labels, weights = [], [], []
    for one in asked:
        found = read_of(one, order)
        best = score(one.put.question, _candidates(one, found), evidence, one.idf)
        features = answer_features(one.put.question, found.passages, best, one.idf)
        rows.append(features if order is None else without_products(features))
        labels.append(one.put.kind in ANSWERED)
        weights.append(_SHARES[one.put.kind] / counts[one.put.kind] * 1000)
    halves = [one.put.first_half for one in asked]
    strength = 1.0 if order is None else 0.1
    fitted = fit(where(rows, halves), where(labels, halves), where(weights, halves), strength=strength)
    report: dict[str, float] = {}
    for kind in _SHARES:
        mine = [
            fitted.probability(row)
            for row, one in zip(rows, asked, strict=True)
            if one.put.kind == kind and not one.put.first_half
        ]
        report |= {f"{kind} kept at {bar}": share(p >= bar for p in mine) for bar in (0.3, 0.4, 0.5)}
    save(name, fit(rows, labels, weights, strength=strength), report)


def without_products(features: Features) -> Features:
    """The signals alone: with the reranker's among them, products only overfit (eval/LOG.md)."""
    return {name: value for name, value in features.items() if "*" not in name}


def main() -> None:
    """Fit all models in the order in which they depend on one another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--kept", type=Path, required=True, help="a file where readings are kept")
    parser.add_argument("--only", choices=["support", "answers"], default=None)
    parser.add_argument("--without", action="store_true", help="fit the weights for missing models, too")
    arguments = parser.parse_args()
    settings = Settings.load()
    collections = Collections(arguments.data, settings, arguments.kept)
    if arguments.only != "answers":
        fit_both(collections, settings, both=arguments.without)
    if arguments.only != "support":
        _answers(arguments.data, collections, settings, both=arguments.without)


def _answers(data: Path, collections: Collections, settings: Settings, *, both: bool) -> None:
    asked = [collections.ask(put) for put in questions_of(data, collections)]
    own = [one for one in asked if one.put.kind in ANSWERED]
    if both:
        fit_confidence(asked, (None, fit_evidence(own, None, "evidence")), "confidence")
    if any(one.relevance for one in asked):
        papers = fit_papers(own, settings)
        if both:
            order = RankingWeights(papers, settings)
            before = (order, fit_evidence(own, order, "evidence_reranked"))
            fit_confidence(asked, before, "confidence_reranked")
        asked = [collections.read(one, papers) for one in asked]
        own = [one for one in asked if one.put.kind in ANSWERED]
        reading = fit_reading(own, papers, settings) if collections.reader else None
        order = RankingWeights(papers, settings, reading)
        if reading is not None:
            fit_contributing(own, order)
        fit_confidence(asked, (order, fit_evidence(own, order, "evidence_read")), "confidence_read")


if __name__ == "__main__":
    main()
