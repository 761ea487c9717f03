"""What went wrong, as sections of the report: causes, the worst cases, what changed between two runs."""

from __future__ import annotations

from markupsafe import Markup

from eval.measure.failures import agreeing, changes, failures_of
from eval.measure.results import RunResults
from eval.report.markup import fill

_BEGINNING_CHARS = 240
MISLEADING = "Wrong answers, the most confident first"
WITHHELD = "Nothing said although the papers hold it, the least confident first"


def causes(run: RunResults) -> Markup:
    """How many questions went wrong at which stage."""
    return fill("failing", "causes", name=run.name, counted=failures_of(run.items).causes)


def worst(run: RunResults) -> Markup:
    """The cases that cost most, of both kinds."""
    found = failures_of(run.items)
    kinds = ((MISLEADING, found.misleading), (WITHHELD, found.withheld))
    parts = [fill("failing", "cases", heading=head, cases=cases, begun=_begun) for head, cases in kinds]
    return Markup("").join(parts)


def changed(first: RunResults, second: RunResults) -> Markup:
    """The questions on whose verdict two runs differ, with the beginning of both answers."""
    found = changes(first.items, second.items)
    alike, of = agreeing(first.items, second.items)
    return fill(
        "failing",
        "changed",
        first=first.name,
        second=second.name,
        changes=found,
        better=sum(change.first.right for change in found),
        alike=alike,
        of=of,
        begun=_begun,
    )


def _begun(said: str) -> str:
    """The beginning of a long answer; it stands whole under 'Every question'."""
    return said if len(said) <= _BEGINNING_CHARS else f"{said[:_BEGINNING_CHARS].rstrip()}…"
