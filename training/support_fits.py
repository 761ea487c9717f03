"""Fits how far evidence carries a sentence: `support` and `support_trained`, for `rag.verify.support`.

Written answers against written wrong ones, changed ones and those of other papers, each held against the
sentences of the whole abstract that carry it, as the product does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from rag.models.logistic import LogisticModel
from rag.models.shared import load_entailment
from rag.settings import Settings
from rag.text.sentences import sentence_spans
from rag.types import Evidence, Paper
from rag.verify.carrying import carrying, told_by
from rag.verify.checks import veto
from rag.verify.support import LexicalVerifier, TrainedVerifier
from training.collections import Collections
from training.perturbations import CHANGES, other_number
from training.regression import Features, fit, save, where

CLAIMS = 1500
BARS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class CarriedClaim:
    """A claim with the sentences that carry it best, and whether they do."""

    claim: str
    evidence: str
    supported: bool
    unit: str


def claims_of(collections: Collections, seed: int = 1) -> list[CarriedClaim]:
    """Claims over papers that no model has seen, in random order, `CLAIMS` of them."""
    rng = random.Random(seed)
    found = list(_claims(collections, rng))
    rng.shuffle(found)
    return found[:CLAIMS]


def _claims(collections: Collections, rng: random.Random) -> Iterator[CarriedClaim]:
    papers = collections.sets.papers
    for one in collections.sets.questions:
        if one.unit not in collections.group_of or not collections.unseen.issuperset(one.papers):
            continue
        for paper_id, part in one.parts.items():
            yield _claim(part.answer, papers[paper_id], one.unit, supported=True)
            if len(one.parts) == 1:
                yield from _changed(part.answer, papers[paper_id], one.unit, rng)
            other = papers[rng.choice(collections.pool).id]
            if rng.random() < 0.2 and other.paper_id != paper_id:
                yield _claim(part.answer, other, one.unit, supported=False)
        if one.wrong and len(one.papers) == 1:
            yield _claim(one.wrong, papers[one.papers[0]], one.unit, supported=False)


def _changed(text: str, paper: Paper, unit: str, rng: random.Random) -> Iterator[CarriedClaim]:
    changes = [other_number, *rng.sample(list(CHANGES), 1)]
    for change in changes:
        changed = change(text, paper.abstract, rng)
        if changed and changed != text and changed not in paper.abstract:
            yield _claim(changed, paper, unit, supported=False)
            return


def _claim(text: str, paper: Paper, unit: str, *, supported: bool) -> CarriedClaim:
    whole = [Evidence(1, paper, start, end, 0.0) for start, end in sentence_spans(paper.abstract)]
    return CarriedClaim(text, told_by(carrying(text, whole)), supported, unit)


def fit_support(claims: list[CarriedClaim], verifier: LexicalVerifier | TrainedVerifier, name: str) -> None:
    """Fit on half of the units, measure on the others, ship what is fitted on all."""
    rows = verifier.features([(one.claim, one.evidence) for one in claims])
    labels = [one.supported for one in claims]
    halves = [sum(one.unit.encode()) % 2 == 0 for one in claims]
    fitted = fit(where(rows, halves), where(labels, halves))
    held = [place for place, half in enumerate(halves) if not half]
    sound = {place: veto(claims[place].claim, claims[place].evidence) is None for place in held}
    report: Features = {"claims": len(held)}
    for bar in (0.0, *BARS):
        passed = {place: sound[place] and fitted.probability(rows[place]) >= bar for place in held}
        for word, supported in (("right", True), ("wrong", False)):
            mine = [passed[place] for place in held if labels[place] == supported]
            report[f"{word} pass at {bar}"] = sum(mine) / max(len(mine), 1)
    save(name, fit(rows, labels), report)


def fit_both(collections: Collections, settings: Settings, *, both: bool) -> None:
    """With the trained verifier, and without where that is wanted, too."""
    claims = claims_of(collections)
    lexical = LexicalVerifier(collections.encoder, LogisticModel(0.0, {}))
    if both:
        fit_support(claims, lexical, "support")
    judge, _ = load_entailment(settings)
    if judge is not None:
        fit_support(claims, TrainedVerifier(judge, lexical, LogisticModel(0.0, {})), "support_trained")
