"""Reciprocal rank fusion: several rankings of the same things become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[str]], *, k0: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[str, float]]:
    """Score(d) = sum over rankings of weight / (k0 + rank of d), ranks from 1; best first, ties by id.

    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods", SIGIR 2009. An id absent from a ranking adds nothing; of an id that occurs
    twice in one ranking only the first counts.

    :raises ValueError: if there is not one weight per ranking.
    """
    if weights is None:
        weights = [1.0] * len(rankings)
    if len(weights) != len(rankings):
        raise ValueError(f"{len(rankings)} rankings but {len(weights)} weights")
    scores: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, item in enumerate(dict.fromkeys(ranking), start=1):
            scores[item] = scores.get(item, 0.0) + weight / (k0 + rank)
    return by_score(scores)


def by_score(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """(id, score) pairs, highest score first, equal scores by id."""
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
