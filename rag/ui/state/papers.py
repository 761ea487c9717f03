"""The papers of a collection as a list: what a person narrowed it to, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.text.clean import clean
from rag.text.terms import fold
from rag.types import Paper


@dataclass(frozen=True, slots=True)
class PaperFilter:
    """What a person narrowed the list to; `group` and the years are None for any."""

    query: str = ""
    group: int | None = None
    year_from: int | None = None
    year_to: int | None = None


def matching(papers: Sequence[Paper], paper_filter: PaperFilter, groups: Mapping[str, int]) -> list[Paper]:
    """The papers that pass every filter but the query, in their order."""
    return [
        paper
        for paper in papers
        if (paper_filter.group is None or groups.get(paper.paper_id) == paper_filter.group)
        and (paper_filter.year_from is None or (paper.year or 0) >= paper_filter.year_from)
        and (paper_filter.year_to is None or (paper.year is not None and paper.year <= paper_filter.year_to))
    ]


def by_title(papers: Sequence[Paper]) -> list[Paper]:
    """In alphabetical order, accents and case aside."""
    return sorted(papers, key=lambda paper: (fold(clean(paper.title)), paper.paper_id))


def years_of(papers: Sequence[Paper]) -> tuple[int, int] | None:
    """The first and last year; None where no paper has one, or all the same."""
    years = [paper.year for paper in papers if paper.year]
    return (min(years), max(years)) if years and min(years) < max(years) else None
