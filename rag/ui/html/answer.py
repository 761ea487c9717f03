"""An exchange, finished or on its way, as HTML. Pure functions; nothing is decided here.

The result holds no blank line, so that the Markdown component passes it on as one block.
"""

from __future__ import annotations

from collections.abc import Collection

from rag.text.clean import clean
from rag.text.escape import inert, inert_lines, shown
from rag.types import AbstentionReason, Answer, DroppedSentence, Failure
from rag.ui.export import plain_answer
from rag.ui.html.citations import answer_html
from rag.ui.html.evidence import panel
from rag.ui.state.conversation import Exchange, Pending

_HIGH, _MEDIUM = 0.8, 0.5
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


def exchange_html(exchange: Exchange) -> str:
    """A finished exchange: the question, what came of it, and the evidence beside it."""
    question = _question(exchange.question)
    answer = exchange.answer
    failure = exchange.failure or (answer.error if answer else None)
    if failure or answer is None:
        return _turn(question + _alert(failure), "", exchange.number)
    body = _standalone(answer) + _verdict(answer) + answer_html(answer, exchange.number)
    body += _actions(exchange) + _dropped(answer.trace.dropped) + _footer(answer)
    return _turn(question + body, panel(answer, exchange.number), exchange.number)


def pending_html(pending: Pending) -> str:
    """A question on its way: the stage it is in and the draft, marked as unchecked."""
    draft = inert_lines("\n".join(map(clean, pending.draft.splitlines())))
    unchecked = (
        '<div class="cw-draft"><span class="cw-draft-label">Draft, not yet checked</span>'
        f"<div>{draft}</div></div>"
        if draft
        else ""
    )
    return _turn(_question(pending.question) + _stages(pending) + unchecked, "", 0)


def confidence_words(confidence: float) -> str:
    """0.91 -> 'high · 0.91'."""
    word = "high" if confidence >= _HIGH else "medium" if confidence >= _MEDIUM else "low"
    return f"{word} · {confidence:.2f}"


def notice_html(message: str, hint: str = "", *, urgent: bool = False) -> str:
    """A line for the person at the keyboard."""
    role, more = "alert" if urgent else "status", f" <span>{inert(hint)}</span>" if hint else ""
    kind = " cw-urgent" if urgent else ""
    return f'<div class="cw-notice{kind}" role="{role}">{inert(message)}{more}</div>'


def _turn(main: str, side: str, number: int) -> str:
    aside = f'<div class="cw-side">{side}</div>' if side else ""
    return f'<div class="cw-turn" id="cw-turn-{number}"><div class="cw-main">{main}</div>{aside}</div>'


def _question(text: str) -> str:
    return f'<div class="cw-question">{inert_lines(text)}</div>'


def _standalone(answer: Answer) -> str:
    """The question as it was understood, when a follow-up was rewritten."""
    asked, read = answer.question.split(), answer.standalone_question.split()
    if not read or asked == read:
        return ""
    return (
        f'<div class="cw-read">Read as: <span>{inert(answer.standalone_question)}</span>'
        ' <button type="button" class="cw-do cw-edit" title="Change it and ask again">Edit</button></div>'
    )


def _verdict(answer: Answer) -> str:
    """Status and confidence in plain words."""
    if answer.abstention:
        label = _REFUSED[answer.abstention.reason]
        about, told = answer.abstention.reason.replace("_", " "), "Chance that these papers answer it"
    else:
        label, about = _STATUS[answer.status]
        told = "Confidence"
    return (
        f'<div class="cw-verdict"><span class="cw-status cw-{answer.status}"'
        f' title="{inert(about)}">{label}</span>'
        f'<span class="cw-confidence">{told}: {confidence_words(answer.confidence)}</span></div>'
    )


def _actions(exchange: Exchange) -> str:
    """Copy and vote; page.js does the copying and carries the vote to the server."""
    number, chosen = exchange.number, exchange.verdict
    votes = "".join(
        f'<button type="button" class="cw-do cw-vote{" cw-on" if chosen == verdict else ""}"'
        f' id="cw-{verdict}-{number}" title="{told}"><span class="cw-unseen">{told}</span></button>'
        for verdict, told in (("up", "This answer helps"), ("down", "This answer is wrong"))
    )
    plain = inert_lines(plain_answer(exchange.answer)) if exchange.answer else ""
    return (
        f'<div class="cw-actions"><button type="button" class="cw-do cw-copy">Copy</button>{votes}'
        f'<div class="cw-plain" hidden>{plain}</div></div>'
    )


def _dropped(dropped: Collection[DroppedSentence]) -> str:
    """What the model wrote and the checks refused, folded away."""
    if not dropped:
        return ""
    rows = "".join(
        f'<div class="cw-item"><s>{shown(sentence.text)}</s>'
        f'<span class="cw-reason">{inert(sentence.reason)} · support {sentence.support:.2f}</span></div>'
        for sentence in dropped
    )
    return (
        f'<details class="cw-more"><summary>Dropped by the checks ({len(dropped)})</summary>{rows}</details>'
    )


def _footer(answer: Answer) -> str:
    """How many papers were looked at, and how long each part took."""
    count, timings = len(answer.passages), answer.timings
    stages = (
        ("finding", timings.retrieve_s),
        ("writing", timings.generate_s),
        ("checking", timings.verify_s),
    )
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages if seconds >= 0.05)
    papers = f"{count} paper{'' if count == 1 else 's'} looked at"
    return f'<div class="cw-foot">{papers} · {timings.total_s:.1f} s{f" ({parts})" if parts else ""}</div>'


def _alert(failure: Failure | None) -> str:
    failure = failure or Failure("Unknown", "There is no answer.", "Ask again.")
    kind = "cw-stopped" if failure.type == "Stopped" else "cw-failed"
    hint = f"<div>{inert_lines(failure.hint)}</div>" if failure.hint else ""
    again = '<button type="button" class="cw-do cw-again">Ask again</button>'
    return f'<div class="cw-alert {kind}"><b>{inert_lines(failure.message)}</b>{hint}{again}</div>'


def _stages(pending: Pending) -> str:
    """'searching 0.4 s › reading 0.1 s › writing 2.0 s', the last one still running or waiting."""
    timed = pending.seconds()
    steps = [f'<span class="cw-done">{stage} {seconds:.1f} s</span>' for stage, seconds in timed]
    if pending.waiting or not steps:
        steps = [*steps[:-1], f'<span class="cw-now">{inert(pending.waiting or "starting")}</span>']
    else:
        steps[-1] = steps[-1].replace("cw-done", "cw-now")
    return f'<div class="cw-stages">{"".join(steps)}</div>'
