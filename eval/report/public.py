"""The public sets as a section of the report: figures per kind, differences to another run, what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from eval.measure.differences import verdict
from eval.measure.measures import Measure, paired_difference
from eval.public.results import SetResult, Table
from eval.report.markup import fill

HEADINGS = {
    "retrieval": "Retrieval: are the right papers found?",
    "verification": "Verification: does the evidence carry the claim?",
    "answerability": "Answerability: does the collection answer the question?",
}
Row = tuple[str, tuple[Measure, ...]]


def public(results: Sequence[SetResult], others: Mapping[str, Sequence[SetResult]]) -> Markup:
    """The section; empty without results. `others`: name of another run -> its results."""
    if not results:
        return Markup("")
    return fill(
        "public",
        "public",
        kinds=[(heading, own) for kind, heading in HEADINGS.items() if (own := _tables(results, kind))],
        others=[(name, _changes(results, own)) for name, own in others.items()],
        results=results,
        ordered=ordered,
    )


def merged(results: Sequence[SetResult]) -> list[tuple[Table, list[Row]]]:
    """Tables of one caption and the same measures as one, over all sets: rows are named 'set: system'."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Table, list[Row]]] = {}
    for result in results:
        for own in result.found.tables:
            rows = found.setdefault((own.caption, own.columns), (own, []))[1]
            rows += [(f"{result.name}: {system}", row) for system, row in own.rows.items()]
    return list(found.values())


def differences(results: Sequence[SetResult], others: Sequence[SetResult]) -> list[tuple[str, Measure]]:
    """For each set in both runs its chief figure, first minus other, paired by member."""
    known = {other.name: other for other in others}
    return [
        (
            f"{one.name}: {one.found.chief}",
            paired_difference(known[one.name].found.members, one.found.members, one.name),
        )
        for one in results
        if one.name in known
    ]


def _tables(results: Sequence[SetResult], kind: str) -> list[tuple[str, list[str], list[Row]]]:
    """(caption, names of the measures, rows) of the sets of a kind."""
    own = merged([result for result in results if result.kind == kind])
    return [(first.caption, list(first.columns), rows) for first, rows in own]


def _changes(results: Sequence[SetResult], others: Sequence[SetResult]) -> list[tuple[str, Measure, str]]:
    """(figure, what this run has over another, whether that may be chance), of the sets in both."""
    found = differences(results, others)
    return [(name, change, verdict(change)) for name, change in found if change.n]


def ordered(causes: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, ties by name."""
    return sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))
