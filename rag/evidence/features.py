"""How likely each sentence of the papers found bears on the question, from features a person can check.

The weights are data (`rag/data/evidence.json`), fitted by `training/logistic.py` on questions over other
papers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.models.logistic import LogisticModel, logit
from rag.query.intent import asks_for_number
from rag.text.terms import term_set
from rag.types import PaperText, Passage, Relevance

Idf = Callable[[str], float]
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a retrieved paper, before it is scored. `cosine` is with title + sentence.

    `relevance` is what the reranker saw in the paper, where there is one.
    """

    passage: Passage
    start: int
    end: int
    position: int
    cosine: float
    relevance: Relevance | None = None

    @property
    def text(self) -> str:
        """The sentence as stored."""
        return self.passage.paper.abstract[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with the probability that it bears on the question."""

    candidate: Candidate
    probability: float


def candidates_of(
    passages: Sequence[Passage],
    cosines: Sequence[NDArray[np.float32]],
    texts: Mapping[str, PaperText],
    relevance: Mapping[str, Relevance],
) -> list[Candidate]:
    """Every sentence of every passage with its cosine, in passage and sentence order.

    :param cosines: a row a passage, one a sentence of its text.
    :param texts: of the passages' papers, by id.
    :param relevance: by id, of the papers that were read.
    """
    found = []
    for passage, row in zip(passages, cosines, strict=True):
        sentences = texts[passage.paper.paper_id].sentences
        own = relevance.get(passage.paper.paper_id)
        for position, (sentence, cosine) in enumerate(zip(sentences, row, strict=True)):
            found.append(Candidate(passage, sentence.start, sentence.end, position, float(cosine), own))
    return found


def coverage(asked: frozenset[str], text_terms: frozenset[str], idf: Idf) -> float:
    """Share of the question's idf mass that occurs in the text: 0..1; 0 for a question without terms."""
    total = sum(idf(term) for term in asked)
    return sum(idf(term) for term in asked & text_terms) / total if total else 0.0


def sentence_features(question: str, candidate: Candidate, best_score: float, idf: Idf) -> dict[str, float]:
    """What the probability is made of. `best_score` is the score of the first passage."""
    asked = term_set(question)
    own = term_set(candidate.text)
    title = term_set(candidate.passage.paper.title)
    numeric = asks_for_number(question)
    has_digit = _DIGIT.search(candidate.text) is not None
    return _read_features(candidate) | {
        "cosine": candidate.cosine,
        "coverage": coverage(asked, own, idf),
        "coverage_with_title": coverage(asked, own | title, idf),
        "paper_score": candidate.passage.score,
        "paper_gap": candidate.passage.score - best_score,
        "paper_reciprocal_rank": 1.0 / candidate.passage.rank,
        "number_asked_and_there": float(numeric and has_digit),
        "number_asked_not_there": float(numeric and not has_digit),
        "length": min(len(own), 60) / 20.0,
        "first_sentence": float(candidate.position == 0),
    }


def _read_features(candidate: Candidate) -> dict[str, float]:
    """What the reranker saw; nothing where it did not read."""
    relevance = candidate.relevance
    if relevance is None:
        return {}
    carries = relevance.carries[candidate.position]
    return {
        "carries": carries,
        "carries_gap": carries - max(relevance.carries),
        "paper_answers": relevance.answers,
        "paper_logit": logit(candidate.passage.score),
    }


def score(question: str, candidates: Sequence[Candidate], model: LogisticModel, idf: Idf) -> list[Scored]:
    """All candidates with their probability, best first; ties by paper id, then by position."""
    best = max((c.passage.score for c in candidates), default=0.0)
    scored = [Scored(c, model.probability(sentence_features(question, c, best, idf))) for c in candidates]
    return sorted(
        scored,
        key=lambda s: (
            -s.probability,
            s.candidate.passage.paper.paper_id,
            s.candidate.position,
        ),
    )
