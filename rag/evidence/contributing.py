"""How many papers answer: read off the papers, not guessed from the question. Pure but for its weights.

Every paper that was read and probably contributes to the answer is told (`rag/data/contributing.json`, fitted
by `training/logistic.py` on questions over one paper and over several). A question for a fact has one such
paper, a comparison or a collection several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.models.logistic import LogisticModel, logit
from rag.text.names import names_in
from rag.text.terms import term_set
from rag.types import Passage, Relevance

PAPERS_MAX = 4  # that are told


def contributing_features(
    question: str, passage: Passage, first: Passage, own: Relevance, best: Relevance
) -> dict[str, float]:
    """Whether a paper contributes beside the first one. `best` is what was read in the first."""
    names = {name: term_set(name) for name in names_in(question)}
    here = term_set(passage.paper.words)
    there = term_set(first.paper.words)
    new = sum(bool(told) and told <= here and not told <= there for told in names.values())
    lost = sum(bool(told) and told <= there and not told <= here for told in names.values())
    return {
        "telling": own.telling or 0.0,
        "telling_gap": (own.telling or 0.0) - (best.telling or 0.0),
        "gap": ((own.likelihood or 0.0) - (best.likelihood or 0.0)) / 10.0,
        "logit": logit(passage.score),
        "logit_gap": logit(passage.score) - logit(first.score),
        "about": own.about,
        "answers": own.answers,
        "new_names": float(new),
        "lost_names": float(lost),
    }


@dataclass(frozen=True, slots=True)
class Contributing:
    """Chooses the papers that are told. `least`: the probability from which one is, 0..1."""

    weights: LogisticModel
    least: float

    def __call__(
        self, question: str, passages: Sequence[Passage], read: Mapping[str, Relevance]
    ) -> list[str]:
        """Ids of the papers that answer, in the order of the passages: the first, and what probably adds.

        :param read: what the reader read of papers, by id; others cannot contribute.
        """
        known = [passage for passage in passages if passage.paper.paper_id in read]
        if not known:
            return []
        first = known[0]
        best = read[first.paper.paper_id]
        more = [
            p.paper.paper_id
            for p in known[1:]
            if self.weights.probability(
                contributing_features(question, p, first, read[p.paper.paper_id], best)
            )
            >= self.least
        ]
        return [first.paper.paper_id, *more][:PAPERS_MAX]
