"""The public sets as a section of the report: figures per kind, differences to another run, what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.measure.differences import verdict
from eval.measure.measures import Measure, paired_difference
from eval.public.results import SetResult, Table
from eval.report.markup import element, inert_lines, number, table, text
from eval.report.tables import cell

HEADINGS = {
    "retrieval": "Retrieval: are the right papers found?",
    "verification": "Verification: does the evidence carry the claim?",
    "answerability": "Answerability: does the collection answer the question?",
}
Row = tuple[str, tuple[Measure, ...]]


def public(results: Sequence[SetResult], others: Mapping[str, Sequence[SetResult]]) -> str:
    """The section; empty without results. `others`: name of another run -> its results."""
    if not results:
        return ""
    shared = [_differences(results, name, own) for name, own in others.items()]
    return "".join(
        [
            element("h2", "Public sets"),
            *(_kind(results, kind, heading) for kind, heading in HEADINGS.items()),
            *shared,
            element("h3", "Where it goes wrong on them"),
            *map(_failing, results),
            element("h3", "The sets"),
            _about(results),
        ]
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


def _kind(results: Sequence[SetResult], kind: str, heading: str) -> str:
    own = [result for result in results if result.kind == kind]
    if not own:
        return ""
    tables = [
        table(
            ["set: system", *map(text, first.columns)],
            [[text(name), *map(cell, row)] for name, row in rows],
            caption=text(first.caption),
        )
        for first, rows in merged(own)
    ]
    return element("h3", heading) + element("div", "".join(tables), class_="wide")


def _differences(results: Sequence[SetResult], name: str, others: Sequence[SetResult]) -> str:
    rows = [
        [text(figure), cell(change, signed=True), verdict(change)]
        for figure, change in differences(results, others)
        if change.n
    ]
    if not rows:
        return element("p", f"Shares no set with {text(name)}.")
    caption = f"This run minus {text(name)}, paired by member, 95 % bootstrap interval"
    return table(["figure", "difference", "so"], rows, caption=caption)


def _failing(result: SetResult) -> str:
    """Causes and worst cases of one set, folded."""
    causes = table(
        ["cause", "times"], [[text(cause), str(count)] for cause, count in ordered(result.found.causes)]
    )
    worst = "".join(
        element(
            "li",
            f"{element('code', text(case.id))} {text(case.asked)} {element('em', text(case.cause))}, "
            f"{number(case.score)}{element('blockquote', inert_lines(case.came))}",
        )
        for case in result.found.worst
    )
    wrong = sum(result.found.causes.values())
    head = element("summary", f"{text(result.name)}: {wrong} of {result.count} go wrong")
    return element("details", head + element("div", causes + element("ol", worst), class_="body"))


def ordered(causes: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, ties by name."""
    return sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))


def _about(results: Sequence[SetResult]) -> str:
    head = ["set", "members", "source", "licence", "to be read so", "measured", "fingerprint"]
    rows = [
        [
            text(one.name),
            f"{one.count}{' (limited)' if one.stamp.limit else ''}",
            *(element("span", text(words), class_="wrap") for words in (one.source, one.licence, one.about)),
            text(one.stamp.date),
            element("code", text(one.stamp.fingerprint)),
        ]
        for one in results
    ]
    return table(head, rows)
