"""An exchange, finished or on its way, as HTML: what is told of it; `templates/answer.html` lays it out.

The result holds no blank line, so that the Markdown component passes it on as one block.
"""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from rag.text.clean import clean
from rag.types import AbstentionReason, Answer, Failure, Timings
from rag.ui.html.citations import answer_html
from rag.ui.html.environment import fill
from rag.ui.html.evidence import panel
from rag.ui.state.conversation import Exchange, Pending
from rag.ui.state.plain_text import plain_answer

_HIGH, _MEDIUM = 0.8, 0.5
_TIMED_MIN_S = 0.05
_STATUS = {
    "answered": ("Answered", "Every sentence was checked against the sentences it cites."),
    "quoted": ("Quoted", "No sentence of the model's own was safe to show: verbatim from the papers."),
}
_REFUSED: dict[AbstentionReason, str] = {
    "empty_question": "No question",
    "no_evidence": "Not in this collection",
    "low_confidence": "Not in this collection",
    "empty_collection": "No papers yet",
}
_UNKNOWN = Failure("Unknown", "There is no answer.", "Ask again.")


class StatusLine(NamedTuple):
    """Status and confidence in plain words; `about` is shown when the label is pointed at."""

    label: str
    about: str
    measure: str
    confidence: str


class Step(NamedTuple):
    """A part of answering a question; `seconds` is None for one that waits."""

    name: str
    seconds: float | None


def exchange_html(exchange: Exchange) -> Markup:
    """A finished exchange: the question, what came of it, and the evidence beside it."""
    answer = exchange.answer
    failure = exchange.failure or (answer.error if answer else None)
    if failure or answer is None:
        return fill("answer.html", "failed", exchange=exchange, failure=failure or _UNKNOWN)
    return fill(
        "answer.html",
        "finished",
        exchange=exchange,
        answer=answer,
        verdict=status_line(answer),
        text=answer_html(answer, exchange.number),
        evidence=panel(answer, exchange.number),
        read_as=_read_as(answer),
        plain=plain_answer(answer),
        timed=_timed(answer.timings),
    )


def pending_html(pending: Pending) -> Markup:
    """A question on its way: the stage it is in and the draft, marked as unchecked."""
    draft = "\n".join(map(clean, pending.draft.splitlines())).strip()
    return fill("answer.html", "pending", question=pending.question, steps=_steps(pending), draft=draft)


def notice_html(message: str, hint: str = "", *, urgent: bool = False) -> Markup:
    """A line for the person at the keyboard."""
    return fill("answer.html", "notice", message=message, hint=hint, urgent=urgent)


def confidence_words(confidence: float) -> str:
    """0.91 -> 'high · 0.91'."""
    word = "high" if confidence >= _HIGH else "medium" if confidence >= _MEDIUM else "low"
    return f"{word} · {confidence:.2f}"


def status_line(answer: Answer) -> StatusLine:
    """What the answer is called, and how sure it is."""
    told = confidence_words(answer.confidence)
    if answer.abstention:
        reason = answer.abstention.reason
        label, about = _REFUSED[reason], reason.replace("_", " ")
        return StatusLine(label, about, "Chance that these papers answer it", told)
    return StatusLine(*_STATUS[answer.status], "Confidence", told)


def _read_as(answer: Answer) -> str:
    """The question as it was understood, when a follow-up was rewritten; else empty."""
    asked, read = answer.question.split(), answer.standalone_question.split()
    return answer.standalone_question if read and asked != read else ""


def _timed(timings: Timings) -> list[Step]:
    """The parts that took long enough to be named, with their seconds."""
    parts = [
        ("finding", timings.retrieve_s),
        ("writing", timings.generate_s),
        ("checking", timings.verify_s),
    ]
    return [Step(name, seconds) for name, seconds in parts if seconds >= _TIMED_MIN_S]


def _steps(pending: Pending) -> list[Step]:
    """'searching 0.4 s', 'reading 0.1 s', 'writing 2.0 s': the last one still running or waiting."""
    steps = [Step(stage, seconds) for stage, seconds in pending.seconds()]
    if pending.waiting or not steps:
        return [*steps[:-1], Step(pending.waiting or "starting", None)]
    return steps
