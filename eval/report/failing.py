"""What went wrong, as sections of the report: causes, the worst cases, what changed between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from eval.measure.failures import Change, Failed, agreeing, changes, failures_of
from eval.measure.results import RunResults
from eval.report.markup import element, number, table, text

_BEGINNING_CHARS = 240
MISLEADING = "Wrong answers, the most confident first"
WITHHELD = "Nothing said although the papers hold it, the least confident first"


def causes(run: RunResults) -> str:
    """How many questions went wrong at which stage."""
    counted = failures_of(run.items).causes
    rows = [[text(cause), str(count)] for cause, count in counted.items()]
    return table(["first stage that went wrong", "questions"], rows, caption=text(run.name))


def worst(run: RunResults) -> str:
    """The cases that cost most, of both kinds."""
    found = failures_of(run.items)
    return _cases(MISLEADING, found.misleading) + _cases(WITHHELD, found.withheld)


def _cases(heading: str, cases: Sequence[Failed]) -> str:
    rows = [
        [
            element("code", text(case.id)),
            element("span", text(case.question), class_="wrap"),
            element("span", text(case.wanted), class_="wrap"),
            element("span", text(_begun(case.said)), class_="wrap"),
            number(case.confidence, 2),
            element("span", text(case.cause), class_="wrap cause"),
        ]
        for case in cases
    ]
    head = ["", "question", "wanted", "said", "confidence", "went wrong"]
    return element("h3", heading) + (table(head, rows) if rows else element("p", "None."))


def changed(first: RunResults, second: RunResults) -> str:
    """The questions on whose verdict two runs differ."""
    found = changes(first.items, second.items)
    better = sum(change.first.right for change in found)
    alike, of = agreeing(first.items, second.items)
    head = ["", "question", text(first.name), text(second.name)]
    told = (
        f"{len(found)} questions changed their verdict: {better} are right only in {text(first.name)}, "
        f"{len(found) - better} only in {text(second.name)}. Both say the same, answered or not and from the "
        f"same papers, of {alike} in {of}."
    )
    return element("p", told) + (table(head, map(_change, found)) if found else "")


def _change(change: Change) -> list[str]:
    """Verdict, status and the beginning of both answers."""
    answers = [
        element("b", "right" if item.right else "wrong", class_="good" if item.right else "bad")
        + f" {text(item.status)}"
        + element("span", text(_begun(item.text)), class_="wrap said")
        for item in (change.first, change.second)
    ]
    question = element("span", text(change.first.question), class_="wrap")
    return [element("code", text(change.first.id)), question, *answers]


def _begun(said: str) -> str:
    """The beginning of a long answer; it stands whole under 'Every question'."""
    return said if len(said) <= _BEGINNING_CHARS else f"{said[:_BEGINNING_CHARS].rstrip()}…"
