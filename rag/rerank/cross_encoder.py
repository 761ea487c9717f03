"""Papers found, read for the question and put in a new order: what the reranker saw decides with the scores.

The weights are data (`rag/data/papers.json`), fitted by `training/logistic.py` on papers the reranker never
saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.models.logistic import LogisticModel
from rag.models.reranker import Abstract, Relevance, Reranker
from rag.text.marks import display
from rag.text.sentences import sentence_spans
from rag.types import Paper, Passage


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages, best first, and what was read in those that were read, by paper id."""

    passages: tuple[Passage, ...]
    readings: Mapping[str, Relevance]

    @property
    def seen(self) -> tuple[Passage, ...]:
        """The passages whose sentences may be told: those that were read; all where nothing reads."""
        return tuple(p for p in self.passages if p.paper.paper_id in self.readings) or self.passages


def abstract_of(paper: Paper) -> Abstract:
    """Title and sentences as the reranker reads them."""
    spans = sentence_spans(paper.abstract)
    return display(paper.title), [display(paper.abstract[start:end]) for start, end in spans]


def leads(passages: Sequence[Passage]) -> list[float]:
    """By how much each score is above the best of the others; the score itself where there is no other."""
    best, *others = sorted((p.score for p in passages), reverse=True) or [0.0]
    second = max(others, default=0.0)
    return [p.score - (second if p.score == best else best) for p in passages]


def paper_features(passage: Passage, lead: float, reading: Relevance) -> dict[str, float]:
    """What a paper's place is made of. `lead`: see `leads`."""
    return {
        "score": passage.score,
        "lead": lead,
        "reciprocal_rank": 1.0 / passage.rank,
        "about": reading.about,
        "answers": reading.answers,
        "best_sentence": max(reading.carries, default=-10.0),
    }


def read(question: str, passages: Sequence[Passage], reranker: Reranker) -> list[Relevance]:
    """What the reranker sees in each of the passages."""
    return reranker.read(question, [abstract_of(passage.paper) for passage in passages])


def read_on(
    passages: Sequence[Passage],
    found: Ranking,
    read_part: Callable[[Sequence[Passage]], Sequence[Relevance]],
    model: LogisticModel,
) -> Ranking:
    """Those of the passages that were not read yet read as well, and all of them ranked anew."""
    unread = [p for p in passages if p.paper.paper_id not in found.readings]
    if not unread:
        return found
    new = zip(unread, read_part(unread), strict=True)
    readings = {**found.readings, **{p.paper.paper_id: reading for p, reading in new}}
    return ranked(passages, [readings[p.paper.paper_id] for p in passages], model)


def is_sure(found: Ranking, sure_min: float) -> bool:
    """Whether the first paper is all but certain; not where there is none."""
    return bool(found.passages) and found.passages[0].score >= sure_min


def ranked(passages: Sequence[Passage], readings: Sequence[Relevance], model: LogisticModel) -> Ranking:
    """The passages in the order of their probability, which becomes their score; ties by paper id.

    The first of them were read; the others stay behind, in their order, and share what the best of those
    read leaves to them.
    """
    count = len(readings)
    scored = [
        (model.probability(paper_features(passage, lead, reading)), passage)
        for passage, lead, reading in zip(passages, leads(passages), readings, strict=False)
    ]
    scored.sort(key=lambda row: (-row[0], row[1].paper.paper_id))
    if scored:
        left = min(scored[-1][0], (1.0 - scored[0][0]) / max(len(passages) - count, 1))
        scored += [(left, passage) for passage in passages[count:]]
    return Ranking(
        tuple(replace(p, rank=rank, score=score) for rank, (score, p) in enumerate(scored, start=1)),
        {p.paper.paper_id: reading for p, reading in zip(passages, readings, strict=False)},
    )


def first(found: Ranking, count: int) -> Ranking:
    """The best `count` of them."""
    passages = found.passages[:count]
    kept = {p.paper.paper_id for p in passages}
    return Ranking(passages, {key: own for key, own in found.readings.items() if key in kept})
