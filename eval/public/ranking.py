"""Retrieval sets measured: every ranking by the names of the field, and against the one that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from eval.measure.measures import Measure, mean_of
from eval.metrics.retrieval import mrr_at_k, ndcg_at_k, recall_at_k
from eval.metrics.statistics import paired_bootstrap
from eval.public.results import FailureCase, SetFindings, Table, most, of_interval
from eval.public.retrieval_sets import Query, RetrievalSet
from eval.public.subject import SHIPPED, Rank

MEASURES: Mapping[str, Callable[[Mapping[str, float], Sequence[str]], float | None]] = {
    "nDCG@10": ndcg_at_k,
    "MRR@10": mrr_at_k,
    "recall@1": lambda grades, ranked: recall_at_k(grades, ranked, 1),
    "recall@5": lambda grades, ranked: recall_at_k(grades, ranked, 5),
    "recall@10": lambda grades, ranked: recall_at_k(grades, ranked, 10),
    "recall@50": lambda grades, ranked: recall_at_k(grades, ranked, 50),
}
_CHIEF = "nDCG@10"


def measure_rankings(
    found: RetrievalSet, rankings: Mapping[str, Rank], told: Callable[[str, int], None]
) -> SetFindings:
    """Tables, causes and worst cases; `told` hears the ranking and how many queries are done."""
    ranked = {
        name: [_heard(rank(query.text), told, name, n) for n, query in enumerate(found.queries, start=1)]
        for name, rank in rankings.items()
    }
    scores = {name: _scores(found.queries, own) for name, own in ranked.items()}
    rows = {name: _row(own, scores[SHIPPED]) for name, own in scores.items()}
    causes, cases = _errors(found, ranked[SHIPPED], scores[SHIPPED][_CHIEF])
    chief = zip((query.id for query in found.queries), scores[SHIPPED][_CHIEF], strict=True)
    members = {name: value for name, value in chief if value is not None}
    return SetFindings((Table("Papers found", rows),), causes, most(cases), _CHIEF, members)


def _heard(ids: list[str], told: Callable[[str, int], None], name: str, done: int) -> list[str]:
    told(name, done)
    return ids


def _scores(queries: Sequence[Query], ranked: Sequence[Sequence[str]]) -> dict[str, list[float | None]]:
    """Measure -> its value for every query, in order."""
    return {
        name: [of(query.grades, ids) for query, ids in zip(queries, ranked, strict=True)]
        for name, of in MEASURES.items()
    }


def _row(
    own: Mapping[str, list[float | None]], shipped: Mapping[str, list[float | None]]
) -> tuple[Measure, ...]:
    """The means of one ranking; last, what it has over the shipped one, query by query."""
    gap = paired_bootstrap(shipped[_CHIEF], own[_CHIEF])
    means = [mean_of(name, values) for name, values in own.items()]
    return (*means, of_interval(f"{_CHIEF} over shipped", gap))


def _errors(
    found: RetrievalSet, ranked: Sequence[Sequence[str]], scores: Sequence[float | None]
) -> tuple[dict[str, int], list[FailureCase]]:
    """Why queries lose nDCG under the shipped ranking, counted; each as a case, its score what was lost."""
    titles = {paper.paper_id: paper.title or paper.abstract[:80] for paper in found.papers}
    causes: dict[str, int] = {}
    cases = []
    for query, ids, score in zip(found.queries, ranked, scores, strict=True):
        wanted = {paper_id for paper_id, grade in query.grades.items() if grade > 0}
        cause = cause_of(wanted, ids)
        if not cause or score is None:
            continue
        causes[cause] = causes.get(cause, 0) + 1
        best = max(sorted(wanted), key=lambda paper_id: query.grades[paper_id])
        came = f"first: {titles[ids[0]] if ids else 'nothing'}; wanted: {titles[best]}"
        cases.append(FailureCase(query.id, query.text, came, 1.0 - score, cause))
    return causes, cases


def cause_of(wanted: set[str], ranked: Sequence[str]) -> str:
    """Where the first relevant paper stands; empty when it stands first."""
    place = next((rank for rank, paper_id in enumerate(ranked, start=1) if paper_id in wanted), None)
    if place is None:
        return "no relevant paper among those ranked"
    if place > 10:
        return "first relevant paper below ten"
    if place > 5:
        return "first relevant paper at 6 to 10"
    return "first relevant paper at 2 to 5" if place > 1 else ""
