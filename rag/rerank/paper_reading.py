"""What the reader makes of a question behind whole abstracts: how likely it is there, and whether they tell.

Query likelihood (Ponte and Croft, 1998; with a language model: Sachan et al., 2022, "Improving Passage
Retrieval with Zero-Shot Question Generation") says which paper the question was asked of; the probability of
declining says whether it answers. Both come from one pass of the question over the kept reading of each paper
(docs/decisions/0018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.models import openings
from rag.models.logistic import LogisticModel, logit
from rag.ports import PaperReader
from rag.types import PaperText, Passage, Ranking, Relevance

NOBODY = PaperText("", ())  # what a question is likely after when no paper was read
_NEVER = -1e-6  # log-probability beyond which a probability counts as one


def read_papers(
    question: str, papers: Sequence[tuple[PaperText, int]], model: PaperReader
) -> list[tuple[float, float]]:
    """(By how many nats each paper makes the question likelier, log-odds that it tells), in order.

    :param papers: each with the place that bears most on the question.
    """
    told = openings.asked(question)
    asked = [openings.conversation(openings.of_text(*paper), told) for paper in (*papers, (NOBODY, 0))]
    *found, alone = model.readings(asked, [openings.NOT_TOLD])
    return [(one.likelihood - alone.likelihood, telling(one.first[0])) for one in found]


def telling(declining: float) -> float:
    """Log-odds of not declining from the log-probability of declining.

    >>> round(telling(math.log(0.5)), 6)
    0.0
    """
    declining = min(declining, _NEVER)
    return math.log1p(-math.exp(declining)) - declining


def with_readings(question: str, found: Ranking, passages: Sequence[Passage], model: PaperReader) -> Ranking:
    """The same papers, these passages with what the reader makes of them; none is read twice."""
    unread = [p.paper.paper_id for p in passages if found.relevance[p.paper.paper_id].telling is None]
    if not unread:
        return found
    papers = [(found.texts[key], most_telling(found.texts[key], found.relevance[key])) for key in unread]
    read = read_papers(question, papers, model)
    relevance = dict(found.relevance)
    for paper_id, (gain, tells) in zip(unread, read, strict=True):
        relevance[paper_id] = replace(relevance[paper_id], likelihood=gain, telling=tells)
    return replace(found, relevance=relevance)


def most_telling(text: PaperText, relevance: Relevance) -> int:
    """Where the sentence begins that carries the answer best, by the cross-encoder, in characters."""
    carries = relevance.carries
    return text.sentences[carries.index(max(carries))].start if carries else 0


def reading_features(
    passage: Passage, own: Relevance, best_gain: float, most_telling: float
) -> dict[str, float]:
    """What the new place of a paper is made of; best gain and log-odds are those of all that were read."""
    gain, tells = own.likelihood or 0.0, own.telling or 0.0
    return {
        "logit": logit(passage.score),
        "gain": gain / 10.0,
        "gap": (gain - best_gain) / 10.0,
        "telling": tells,
        "telling_gap": tells - most_telling,
    }


def by_readings(found: Ranking, weights: LogisticModel) -> Ranking:
    """Papers that were read in the order of their new probability, their score from now on; then the others.

    None of the others scores above the last of those read. Ties by paper id.
    """
    own = {key: one for key, one in found.relevance.items() if one.telling is not None}
    if not own:
        return found
    best = max(one.likelihood or 0.0 for one in own.values())
    most = max(one.telling or 0.0 for one in own.values())
    read = [
        (weights.probability(reading_features(p, own[p.paper.paper_id], best, most)), p)
        for p in found.passages
        if p.paper.paper_id in own
    ]
    read.sort(key=lambda row: (-row[0], row[1].paper.paper_id))
    lowest = read[-1][0]
    others = [(min(p.score, lowest), p) for p in found.passages if p.paper.paper_id not in own]
    ordered = enumerate([*read, *others], start=1)
    return replace(found, passages=tuple(replace(p, rank=rank, score=score) for rank, (score, p) in ordered))


def first_tells(ranking: Ranking) -> bool:
    """Whether the first paper was read and tells what is asked."""
    if not ranking.passages:
        return False
    own = ranking.relevance.get(ranking.passages[0].paper.paper_id)
    return own is not None and own.telling is not None and own.telling > 0


@dataclass(frozen=True, slots=True)
class PaperReading:
    """A second look at the first `top_k` papers, or at the first alone."""

    model: PaperReader
    weights: LogisticModel
    top_k: int
    asks = True

    def __call__(self, question: str, ranking: Ranking, *, only_first: bool) -> Ranking:
        """The papers in the order of what the reader makes of them, with what was known before."""
        readable = [p for p in ranking.passages if p.paper.paper_id in ranking.relevance]
        read = readable[: 1 if only_first else self.top_k]
        return by_readings(with_readings(question, ranking, read, self.model), self.weights)


@dataclass(frozen=True, slots=True)
class NoSecondLook:
    """No reader is asked: the order stays as it is."""

    asks = False

    def __call__(self, question: str, ranking: Ranking, *, only_first: bool) -> Ranking:
        """The same ranking."""
        return ranking
