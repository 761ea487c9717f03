"""How likely the collection answers the question: once before writing, once after. Too little is *not here*.

First from what was found (`rag/data/confidence*.json`, fitted by `training/logistic.py` on papers that are
not ours): too little, and nothing is written. Then also from what a reader trained to say so made of it,
where one was asked (`rag/data/final*.json`, fitted by `training/calibrate.py` on dev and on written
questions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evidence.features import Idf, Scored, coverage
from rag.models.logistic import LogisticModel, logit
from rag.query.intent import asks_for_number
from rag.text.names import names_in
from rag.text.terms import term_set, words
from rag.types import DraftOutcome, Passage


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
    whole = term_set(f"{paper.title} {paper.abstract}")
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
        "missing_names": missing_names(question, f"{paper.title} {paper.abstract}"),
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
        "likelihood_asked": float(best.likelihood is not None),
    }


def with_products(signals: dict[str, float]) -> dict[str, float]:
    """The signals and every product of two of them: what one says depends on the others."""
    names = sorted(signals)
    products = {f"{a}*{b}": signals[a] * signals[b] for i, a in enumerate(names) for b in names[i:]}
    return signals | products


def missing_names(question: str, text: str) -> float:
    """Share of the names in the question that do not occur in the text; 0 when it mentions none."""
    names = names_in(question)
    if not names:
        return 0.0
    known = term_set(text) | frozenset(words(text))
    absent = [name for name in names if not known & (term_set(name) | set(words(name)))]
    return len(absent) / len(names)


def confidence(features: dict[str, float], model: LogisticModel) -> float:
    """Probability in (0, 1) that the collection carries an answer."""
    return model.probability(features)


def final_features(prior: float, outcome: DraftOutcome | None) -> dict[str, float]:
    """Signals after writing. `prior` is the probability before; `outcome` None where no reader was asked."""
    before = {"prior": logit(prior)}
    if outcome is None:
        return before
    return before | {
        "declined": float(outcome.declined),
        "stood": float(outcome.support > 0),
        "support": outcome.support,
    }


@dataclass(frozen=True, slots=True)
class AnswerConfidence:
    """How sure an answer is: weights for what a trained reader wrote, others where only `prior` is known."""

    drafted: LogisticModel
    undrafted: LogisticModel

    def probability(self, prior: float, outcome: DraftOutcome | None) -> float:
        """The probability, in (0, 1), that the collection answers the question: see `final_features`."""
        weights = self.undrafted if outcome is None else self.drafted
        return weights.probability(final_features(prior, outcome))
