"""What went wrong in a run: how often for which cause, and the worst cases to be read one by one. Pure.

Two kinds that cost differently: a wrong answer misleads, the more the surer it looks; nothing said although
the papers hold it sends a reader away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from eval.measure.items import QuestionResult

SHOWN = 10


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """A question that went wrong: what was wanted, what was said, the first stage that failed."""

    id: str
    type: str
    question: str
    cause: str
    status: str
    confidence: float
    wanted: str
    said: str


@dataclass(frozen=True, slots=True)
class Failures:
    """Questions by cause, the most frequent first; the worst of each kind, at most `SHOWN`.

    `misleading`: wrong answers, the most confident first. `withheld`: refusals and breakdowns where the
    papers hold an answer, the least confident first, which were the furthest from being answered.
    """

    causes: Mapping[str, int] = field(default_factory=dict)
    misleading: tuple[FailedQuestion, ...] = ()
    withheld: tuple[FailedQuestion, ...] = ()


def failures_of(items: Iterable[QuestionResult]) -> Failures:
    """Counts and worst cases; ties by id."""
    wrong = [item for item in items if not item.right]
    counted = Counter(item.cause for item in wrong)
    shown = [item for item in wrong if item.answers]
    silent = [item for item in wrong if not item.answers]
    return Failures(
        causes=dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))),
        misleading=tuple(map(_failed, sorted(shown, key=lambda i: (-i.confidence, i.id))[:SHOWN])),
        withheld=tuple(map(_failed, sorted(silent, key=lambda i: (i.confidence, i.id))[:SHOWN])),
    )


def _failed(item: QuestionResult) -> FailedQuestion:
    return FailedQuestion(
        id=item.id,
        type=item.type,
        question=item.question,
        cause=item.cause,
        status=item.status,
        confidence=item.confidence,
        wanted=wanted(item),
        said=item.text,
    )


def wanted(item: QuestionResult) -> str:
    """The ideal answer; without one what it must contain, or the gold papers; a refusal where none exists."""
    if not item.answerable:
        return "a refusal"
    must = "; ".join(" or ".join(choices) for choices in item.must)
    return item.gold_answer or must or "; ".join(item.gold_titles) or "an answer"


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """A question as two runs answered it."""

    first: QuestionResult
    second: QuestionResult


def changes(first: Iterable[QuestionResult], second: Iterable[QuestionResult]) -> list[ChangedVerdict]:
    """The questions of both runs whose verdict differs, in the order of the first."""
    return [pair for pair in _shared(first, second) if pair.first.right != pair.second.right]


def agreeing(first: Iterable[QuestionResult], second: Iterable[QuestionResult]) -> tuple[int, int]:
    """(of how many questions both runs say the same, of how many): answered or not, the same papers cited."""
    pairs = _shared(first, second)
    return sum(_said(pair.first) == _said(pair.second) for pair in pairs), len(pairs)


def _shared(first: Iterable[QuestionResult], second: Iterable[QuestionResult]) -> list[ChangedVerdict]:
    others = {item.id: item for item in second}
    return [ChangedVerdict(item, others[item.id]) for item in first if item.id in others]


def _said(item: QuestionResult) -> tuple[bool, frozenset[str]]:
    """Whether it answers, and by which papers."""
    return item.answers, frozenset(cited.title for cited in item.citations)
