"""Papers read beside the question, by a MiniLM, and put in a new order: what it saw decides with the scores.

The weights are data (`rag/data/papers.json`), fitted by `training/logistic.py` on papers the reranker never
saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.models.logistic import LogisticModel
from rag.ports import Abstract, Reranker
from rag.types import Hits, PaperText, Passage, Ranking, Relevance


def abstract_of(text: PaperText) -> Abstract:
    """Title and sentences as the reranker reads them."""
    return text.title, [sentence.text for sentence in text.sentences]


def leads(passages: Sequence[Passage]) -> list[float]:
    """By how much each score is above the best of the others; the score itself where there is no other.

    :returns: one a passage, in its order, in the units of the scores; at most one of them is positive.
    """
    best, *others = sorted((p.score for p in passages), reverse=True) or [0.0]
    second = max(others, default=0.0)
    return [p.score - (second if p.score == best else best) for p in passages]


def paper_features(passage: Passage, lead: float, relevance: Relevance) -> dict[str, float]:
    """What a paper's place is made of. `lead`: see `leads`. Without sentences: -10."""
    return {
        "score": passage.score,
        "lead": lead,
        "reciprocal_rank": 1.0 / passage.rank,
        "about": relevance.about,
        "answers": relevance.answers,
        "best_sentence": max(relevance.carries, default=-10.0),
    }


def ranked(passages: Sequence[Passage], read: Sequence[Relevance], weights: LogisticModel) -> Ranking:
    """The passages in the order of their probability, which becomes their score; ties by paper id.

    The first of them were read; the others stay behind, in their order, and share what the best of those
    read leaves to them.

    :param passages: as retrieved, best first, shape (papers,).
    :param read: of the first `len(read)` of them, in their order.
    """
    count = len(read)
    scored = [
        (weights.probability(paper_features(passage, lead, relevance)), passage)
        for passage, lead, relevance in zip(passages, leads(passages), read, strict=False)
    ]
    scored.sort(key=lambda row: (-row[0], row[1].paper.paper_id))
    if scored:
        left = min(scored[-1][0], (1.0 - scored[0][0]) / max(len(passages) - count, 1))
        scored += [(left, passage) for passage in passages[count:]]
    return Ranking(
        tuple(replace(p, rank=rank, score=score) for rank, (score, p) in enumerate(scored, start=1)),
        {p.paper.paper_id: relevance for p, relevance in zip(passages, read, strict=False)},
    )


def is_sure(ranking: Ranking, sure_min: float) -> bool:
    """Whether the first paper is all but certain; not where there is none."""
    return bool(ranking.passages) and ranking.passages[0].score >= sure_min


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """A model that reads question and abstract together, and the weights that make a place of what it saw."""

    model: Reranker
    weights: LogisticModel

    def read(self, question: str, hits: Hits, *, first: int | None = None) -> Ranking:
        """The first few of the passages read, all where `first` is None, and all ranked."""
        return self._ranked(hits, self._relevance(question, hits, hits.passages[:first]))

    def read_on(self, question: str, hits: Hits, ranking: Ranking) -> Ranking:
        """Those that the ranking has not read yet read as well, and all of the passages ranked anew."""
        unread = [p for p in hits.passages if p.paper.paper_id not in ranking.relevance]
        if not unread:
            return ranking
        new = zip(unread, self._relevance(question, hits, unread), strict=True)
        relevance = {**ranking.relevance, **{p.paper.paper_id: own for p, own in new}}
        return self._ranked(hits, [relevance[p.paper.paper_id] for p in hits.passages])

    def _ranked(self, hits: Hits, read: Sequence[Relevance]) -> Ranking:
        return replace(ranked(hits.passages, read, self.weights), texts=hits.texts)

    def _relevance(self, question: str, hits: Hits, passages: Sequence[Passage]) -> list[Relevance]:
        """What the model sees; where there is nothing to read it is not asked, and so not loaded either."""
        if not passages:
            return []
        return self.model.read(question, [abstract_of(hits.texts[p.paper.paper_id]) for p in passages])
