"""Every question of a run with all that led to its verdict, to be filtered and read."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from eval.measure.failures import wanted
from eval.measure.items import QuestionResult
from eval.measure.results import RunResults
from eval.report.markup import fill

_VERDICTS = ("right", "wrong", "answered", "quoted", "abstained", "error")
_FIRST, _SECOND = "only first right", "only second right"


def browser(runs: Sequence[RunResults]) -> Markup:
    """The questions of the first run, beside each what the second answered."""
    first, second = runs[0], runs[1] if len(runs) > 1 else None
    others = {item.id: item for item in second.items} if second else {}
    return fill(
        "browser",
        "browser",
        types=list(dict.fromkeys(item.type for item in first.items)),
        verdicts=[*_VERDICTS, _FIRST, _SECOND] if second else _VERDICTS,
        questions=[
            (item, others.get(item.id), _tags(item, others.get(item.id)), _facts(item))
            for item in first.items
        ],
        names=(first.name, second.name if second else ""),
    )


def _tags(item: QuestionResult, other: QuestionResult | None) -> list[str]:
    """Verdict, status, and which of two runs alone was right: what the filter chooses by."""
    tags = ["right" if item.right else "wrong", item.status]
    if other and item.right != other.right:
        tags.append(_FIRST if item.right else _SECOND)
    return tags


def _facts(item: QuestionResult) -> dict[str, str]:
    """What was asked and what was gold, by name; empty where there is none."""
    return {
        "type": item.type,
        "said before": "\n".join(item.history),
        "read as": item.read_as,
        "wanted": wanted(item),
        "must contain": "; ".join(" or ".join(choices) for choices in item.must),
        "gold papers": "\n".join(item.gold_titles),
        "gold evidence": "\n".join(item.gold_evidence),
    }
