"""An exchange, finished or on its way, as HTML. Pure functions; nothing is decided here.

The result holds no blank line, so that the Markdown component passes it on as one block.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.cleaning import clean
from rag.types import AbstentionReason, Answer, DroppedSentence, Failure
from rag.ui.conversation import Exchange, Pending
from rag.ui.evidence import anchor, panel
from rag.ui.inert import inert, inert_lines, shown

_MARK = re.compile(r"\[(\d{1,3})\]")
_BETWEEN_QUOTES = re.compile(r"(?<=\])\s+(?=“)")
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
    body = _standalone(answer) + _verdict(answer) + _text(answer, exchange.number)
    body += _dropped(answer.trace.dropped) + _footer(answer)
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
    return f'<div class="cw-read">Read as: {inert(answer.standalone_question)}</div>'


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


def _text(answer: Answer, number: int) -> str:
    """The answer as composed, a part for each of its lines; lines that begin with '- ' are a list."""
    message = answer.abstention.message if answer.abstention else answer.text
    titles = [clean(citation.title) for citation in answer.citations]
    keys = {citation.key for citation in answer.citations}
    parts: list[str] = []
    for line in map(clean, filter(str.strip, message.splitlines())):  # `clean` joins lines
        kind, said = ("item", line[2:]) if line.startswith("- ") else ("line", line)
        said, heading = _without_title(said, titles)
        quotes = _BETWEEN_QUOTES.split(said) if said.startswith("“") else [said]
        body = "".join(f"<div>{_linked(quote, keys, number)}</div>" for quote in quotes)
        parts.append(f'<div class="cw-{kind}">{heading}{body}</div>')
    return f'<div class="cw-answer">{"".join(parts)}</div>'


def _without_title(line: str, titles: Collection[str]) -> tuple[str, str]:
    """A line 'Title: what it says' in two: what it says, and the title as a heading."""
    for title in titles:
        if line.startswith(f"{title}: "):
            return line[len(title) + 2 :], f'<div class="cw-paper">{inert(title)}</div>'
    return line, ""


def _linked(line: str, keys: Collection[int], number: int) -> str:
    """Marks that resolve become links; everything else is inert text."""
    pieces = _MARK.split(line)
    shown_pieces = [inert(piece) for piece in pieces]
    for i in range(1, len(pieces), 2):
        key = int(pieces[i])
        shown_pieces[i] = (
            f'<a class="cw-cite" href="#{anchor(number, key)}" aria-label="Evidence {key}">[{key}]</a>'
            if key in keys
            else inert(f"[{pieces[i]}]")
        )
    return "".join(shown_pieces)


def _dropped(dropped: Collection[DroppedSentence]) -> str:
    """What the model wrote and the checks refused, folded away."""
    if not dropped:
        return ""
    rows = "".join(
        f'<div class="cw-item"><s>{shown(sentence.text)}</s>'
        f'<span class="cw-reason">{inert(sentence.reason)}</span></div>'
        for sentence in dropped
    )
    return (
        f'<details class="cw-more"><summary>Dropped by the checks ({len(dropped)})</summary>{rows}</details>'
    )


def _footer(answer: Answer) -> str:
    """How many papers were looked at, and how long it took."""
    count = len(answer.passages)
    papers = f"{count} paper{'' if count == 1 else 's'} looked at"
    return f'<div class="cw-foot">{papers} · {answer.timings.total_s:.1f} s</div>'


def _alert(failure: Failure | None) -> str:
    failure = failure or Failure("Unknown", "There is no answer.", "Ask again.")
    kind = "cw-stopped" if failure.type == "Stopped" else "cw-failed"
    hint = f"<div>{inert_lines(failure.hint)}</div>" if failure.hint else ""
    return f'<div class="cw-alert {kind}"><b>{inert_lines(failure.message)}</b>{hint}</div>'


def _stages(pending: Pending) -> str:
    """'searching 0.4 s › reading 0.1 s › writing 2.0 s', the last one still running."""
    if pending.waiting or not pending.stages:
        waiting = inert(pending.waiting or "starting")
        return f'<div class="cw-stages" role="status"><span class="cw-now">{waiting}</span></div>'
    timed = pending.seconds()
    last = len(timed) - 1
    steps = "".join(
        f'<span class="{"cw-now" if i == last else "cw-done"}">{stage} {seconds:.1f} s</span>'
        for i, (stage, seconds) in enumerate(timed)
    )
    return f'<div class="cw-stages">{steps}</div>'
