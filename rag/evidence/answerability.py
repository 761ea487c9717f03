"""How sure an answer is: once before writing, once after. Too little is *not here*.

First, from what was found, how likely the collection answers at all (`rag/data/confidence*.json`, fitted by
`training/logistic.py` on papers that are not ours): too little, and nothing is written. Then, also from what
stood and what the reader makes of it, how likely the answer is right (`rag/data/final*.json`, fitted by
`training/calibrate.py` on dev and on written questions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evidence.features import Idf, Scored, coverage
from rag.models.logistic import LogisticModel, logit
from rag.query.intent import asks_for_number
from rag.text.names import missing_names
from rag.text.terms import term_set
from rag.types import Outcome, Passage

_LOG_ODDS_MAX = 8.0
# The signals of an answer that leaves nothing to wish for, and what is said where one falls short of that.
_BEST = {"prior": 3.0, "stood": 1.0, "support": 0.95, "rests": 1.0, "telling": 4.0, "right": 4.0}
_BEST |= {"missing_names": 0.0}
_DOUBTS = {
    "missing_names": "A name in the question is not in the papers told.",
    "prior": "The papers found fit the question only in part.",
    "stood": "No sentence of the model's own passed the checks.",
    "support": "The sentences shown carry the answer only loosely.",
    "rests": "Another sentence of the abstract may answer this better.",
    "telling": "The abstract may not say this.",
    "right": "The reader doubts that this answers the question.",
}


def answer_features(
    question: str, passages: Sequence[Passage], scored: Sequence[Scored], idf: Idf
) -> dict[str, float]:
    """Signals that the papers found do, or do not, answer the question.

    :param passages: best first, not empty.
    :param scored: their sentences, best first, not empty.
    """
    asked = term_set(question)
    best = scored[0]
    paper = best.candidate.passage.paper
    top = term_set(paper.title).union(*(term_set(s.candidate.text) for s in scored[:3]))
    whole = term_set(paper.words)
    rivals = [p.score for p in passages if p.paper.paper_id != paper.paper_id]
    signals = {
        "sentence_logit": logit(best.probability),
        "second_logit": logit(scored[1].probability if len(scored) > 1 else 0.0),
        "best_cosine": max(s.candidate.cosine for s in scored),
        "paper_score": best.candidate.passage.score,
        "paper_lead": best.candidate.passage.score - max(rivals, default=0.0),
        "coverage_sentences": coverage(asked, top, idf),
        "coverage_paper": coverage(asked, whole, idf),
        "missing_mass": max((idf(t) for t in asked - whole), default=0.0) / 10.0,
        "missing_names": missing_names(question, paper.words),
        "number_asked": float(asks_for_number(question)),
        "question_terms": min(len(asked), 30) / 10.0,
    }
    return with_products(signals | _read_signals(scored))


def _read_signals(scored: Sequence[Scored]) -> dict[str, float]:
    """What the reranker saw in the papers; nothing where it did not read."""
    papers = {s.candidate.passage.paper.paper_id: s.candidate.relevance for s in scored}
    read = [relevance for relevance in papers.values() if relevance is not None]
    best = scored[0].candidate.relevance
    if best is None:
        return {}
    return {
        "answers": best.answers,
        "answers_most": max(relevance.answers for relevance in read),
        "about": best.about,
        "carries": max(best.carries, default=-10.0),
        "likelihood": (best.likelihood or 0.0) / 10.0,
        "telling": _bounded(best.telling or 0.0),
        "was_read": float(best.telling is not None),
    }


def with_products(signals: dict[str, float]) -> dict[str, float]:
    """The signals and every product of two of them: what one says depends on the others."""
    names = sorted(signals)
    products = {f"{a}*{b}": signals[a] * signals[b] for i, a in enumerate(names) for b in names[i:]}
    return signals | products


def confidence(features: dict[str, float], model: LogisticModel) -> float:
    """Probability in (0, 1) that the collection carries an answer."""
    return model.probability(features)


def final_features(prior: float, outcome: Outcome) -> dict[str, float]:
    """Signals after writing. `prior` is the probability before; the reader's only where it was asked."""
    told = {
        "prior": logit(prior),
        "stood": float(outcome.support > 0),
        "support": outcome.support,
        "missing_names": outcome.missing,
        "first": logit(outcome.first),
        "several": float(outcome.several),
        "rests": outcome.rests,
    }
    if outcome.telling is None:
        return told
    right = outcome.right
    return told | {
        "telling": _bounded(outcome.telling),
        "right": 0.0 if right is None else _bounded(right),
        "judged": float(right is not None),
    }


def _bounded(log_odds: float) -> float:
    return min(max(log_odds, -_LOG_ODDS_MAX), _LOG_ODDS_MAX)


@dataclass(frozen=True, slots=True)
class AnswerConfidence:
    """How sure an answer is: weights for what a reader made of it, others where none was asked."""

    read: LogisticModel
    unread: LogisticModel

    def probability(self, prior: float, outcome: Outcome) -> float:
        """The probability, in (0, 1), that the answer is right and rightly cited: see `final_features`."""
        weights = self.unread if outcome.telling is None else self.read
        return weights.probability(final_features(prior, outcome))

    def doubt(self, prior: float, outcome: Outcome) -> str:
        """What speaks most against the answer, as a sentence; empty where nothing does."""
        weights = self.unread if outcome.telling is None else self.read
        features = final_features(prior, outcome)
        if outcome.right is None:  # nobody judged the answer: what stands for that is no doubt
            features.pop("right", None)
        if not outcome.support:
            features.pop("support")
            features.pop("rests")
        lost = {
            name: weights.weights.get(name, 0.0) * (best - features[name])
            for name, best in _BEST.items()
            if name in features
        }
        name = max(lost, key=lambda name: lost[name])
        return _DOUBTS[name] if lost[name] > 0 else ""
