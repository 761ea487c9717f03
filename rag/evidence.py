"""Which sentences the model is shown.

Each sentence of the papers found gets a probability of bearing on the question, from features a person
can check; the best ones are keyed and cut to a budget.

The weights are data (`rag/data/evidence.json`), fitted by `eval/fit.py` on questions over other papers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.chunking import sentence_spans
from rag.logistic import LogisticModel, logit
from rag.models.reranker import Reading
from rag.question import Kind, asks_for_number, names_in
from rag.terms import term_set
from rag.types import Evidence, Passage

Idf = Callable[[str], float]
_DIGIT = re.compile(r"\d")
# One paper rarely needs more than three sentences; several papers get two each.
_PER_PAPER: dict[Kind, int] = {"fact": 5, "find": 3, "compare": 2, "collect": 2}
# Another paper joins only when its best sentence is at least this likely, relative to the best of all;
# a comparison needs every paper it names, and what is collected was chosen by its papers.
_RELATIVE_MIN: dict[Kind, float] = {"fact": 0.25, "find": 0.25, "compare": 0.0, "collect": 0.0}
# 'Which papers' means several: two, and those nearly as probable (chosen on written questions: eval/LOG.md).
_COLLECTED, _COLLECTED_RELATIVE_MIN = 2, 0.25
_PAPERS: dict[Kind, int] = {"fact": 3, "find": 1, "compare": 3, "collect": 4}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a retrieved paper, before it is scored. `cosine` is with title + sentence.

    `reading` is what the reranker saw in the paper, where there is one.
    """

    passage: Passage
    start: int
    end: int
    position: int
    cosine: float
    reading: Reading | None = None

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
    readings: Mapping[str, Reading] | None = None,
) -> list[Candidate]:
    """Every sentence of every passage with its cosine, in passage and sentence order."""
    found = []
    for passage, row in zip(passages, cosines, strict=True):
        spans = sentence_spans(passage.paper.abstract)
        reading = (readings or {}).get(passage.paper.paper_id)
        for position, ((start, end), cosine) in enumerate(zip(spans, row, strict=True)):
            found.append(Candidate(passage, start, end, position, float(cosine), reading))
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
    reading = candidate.reading
    if reading is None:
        return {}
    carries = reading.carries[candidate.position]
    return {
        "carries": carries,
        "carries_gap": carries - max(reading.carries),
        "paper_answers": reading.answers,
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


def named_papers(names: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    """Ids of papers that one of the names singles out among the passages, in the order of the names."""
    found: dict[str, None] = {}
    for name in names:
        wanted = term_set(name)
        holders = [
            p.paper.paper_id
            for p in passages
            if wanted and wanted <= term_set(f"{p.paper.title} {p.paper.abstract}")
        ]
        if len(holders) == 1:
            found[holders[0]] = None
    return list(found)


def kind_with_papers(
    question: str, kind: Kind, passages: Sequence[Passage], scored: Sequence[Scored]
) -> tuple[Kind, list[Scored]]:
    """The kind after a look at the papers: names of two papers make a comparison, and keep to them.

    A 'comparison' that names things of one paper only asks for a fact of that paper. A collection keeps to
    the papers worth collecting.
    """
    names = names_in(question)
    if kind in {"fact", "compare"} and len(names) >= 2:
        only = set(named_papers(names, passages))
        if len(only) >= 2:
            return "compare", [s for s in scored if s.candidate.passage.paper.paper_id in only]
    if kind == "compare" and names:
        return "fact", list(scored)
    if kind == "collect":
        only = collected_papers(passages)
        return kind, [s for s in scored if s.candidate.passage.paper.paper_id in only]
    return kind, list(scored)


def collected_papers(passages: Sequence[Passage]) -> set[str]:
    """Ids of the first two papers, and of those at least a quarter as probable as the first."""
    least = _COLLECTED_RELATIVE_MIN * max((p.score for p in passages), default=0.0)
    return {p.paper.paper_id for place, p in enumerate(passages) if place < _COLLECTED or p.score >= least}


def select(
    scored: Sequence[Scored],
    kind: Kind,
    *,
    sentences_max: int,
    tokens_max: int,
    count_tokens: Callable[[str], int],
) -> list[Evidence]:
    """The best sentences within the budget, keyed [1].. by paper in order of its best sentence.

    `fact` and `find` draw on few papers; `compare` and `collect` on several with two sentences each.
    The best sentence is always taken, even alone over the budget.
    """
    papers_max = _PAPERS[kind]
    limit = sentences_max if kind in {"fact", "find"} else 2 * papers_max
    keys: dict[str, int] = {}
    taken: dict[str, int] = {}
    chosen: list[Evidence] = []
    tokens = 0
    for item in scored:
        candidate = item.candidate
        paper = candidate.passage.paper
        new_paper = paper.paper_id not in keys
        if new_paper and item.probability < _RELATIVE_MIN[kind] * scored[0].probability:
            continue
        if (new_paper and len(keys) >= papers_max) or len(chosen) >= limit:
            continue
        if taken.get(paper.paper_id, 0) >= _PER_PAPER[kind]:
            continue
        cost = count_tokens(candidate.text) + (count_tokens(paper.title) if new_paper else 0)
        if chosen and tokens + cost > tokens_max:
            continue
        tokens += cost
        key = keys.setdefault(paper.paper_id, len(keys) + 1)
        taken[paper.paper_id] = taken.get(paper.paper_id, 0) + 1
        chosen.append(Evidence(key, paper, candidate.start, candidate.end, item.probability))
    return chosen
