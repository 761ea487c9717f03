"""Thumbs from the chat as a section of the report."""

from __future__ import annotations

from eval.measure.feedback import ShownAnswer, Vote, Votes
from eval.report.markup import element, inert_lines, table, text
from eval.report.tables import cell


def thumbs(found: Votes | None) -> str:
    """The section; empty without thumbs."""
    if found is None:
        return ""
    shares = table(
        ["answer was", "share of thumbs up"], [[text(measure.name), cell(measure)] for measure in found.up]
    )
    down = "".join(map(_down, found.down)) or element("p", "Nothing was voted down.")
    heading = element("h2", "Thumbs from the chat") + element("p", f"{found.count} answers were judged.")
    return heading + shares + element("h3", "Voted down, newest first") + down


def _down(thumb: Vote) -> str:
    again = f" {element('span', 'asked again', class_='badge')}" if thumb.again else ""
    head = element("summary", f"{text(thumb.question)} {_badge(thumb.then.status)}{again}")
    note = element("p", f"Note: {text(thumb.note)}") if thumb.note else ""
    before = element("p", inert_lines("\n".join(thumb.history))) if thumb.history else ""
    body = before + note + _said(f"then ({thumb.at})" if thumb.at else "then", thumb.then)
    body += _said("now", thumb.again) if thumb.again else ""
    return element("details", head + element("div", body, class_="body"))


def _said(when: str, said: ShownAnswer) -> str:
    head = element("h4", f"{text(when)}: {text(said.status)}, confidence {said.confidence:.2f}")
    cited = "".join(element("li", element("cite", text(title))) for title in said.titles)
    words = element("blockquote", inert_lines(said.text) or "(no words)")
    return head + words + (element("ul", cited) if cited else "")


def _badge(words: str) -> str:
    return element("span", text(words), class_="badge")
