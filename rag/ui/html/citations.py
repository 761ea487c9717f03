"""The text of an answer with its [n] marks as links, each with the support of the sentence it stands behind.

Pure functions: `Answer` -> HTML.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.text.clean import clean
from rag.text.escape import inert
from rag.types import Answer, Sentence
from rag.ui.html.evidence import anchor

_MARK = re.compile(r"\[(\d{1,3})\]")
_BETWEEN_QUOTES = re.compile(r"(?<=\])\s+(?=“)")


def answer_html(answer: Answer, number: int) -> str:
    """A part for each line of the answer; lines that begin with '- ' are a list."""
    message = answer.abstention.message if answer.abstention else answer.text
    titles = [clean(citation.title) for citation in answer.citations]
    parts: list[str] = []
    for line in map(clean, filter(str.strip, message.splitlines())):  # `clean` joins lines
        kind, said = ("item", line[2:]) if line.startswith("- ") else ("line", line)
        said, heading = _without_title(said, titles)
        quotes = _BETWEEN_QUOTES.split(said) if said.startswith("“") else [said]
        body = "".join(f"<div>{_linked(quote, answer, number)}</div>" for quote in quotes)
        parts.append(f'<div class="cw-{kind}">{heading}{body}</div>')
    return f'<div class="cw-answer">{"".join(parts)}</div>'


def _without_title(line: str, titles: Collection[str]) -> tuple[str, str]:
    """A line 'Title: what it says' in two: what it says, and the title as a heading."""
    for title in titles:
        if line.startswith(f"{title}: "):
            return line[len(title) + 2 :], f'<div class="cw-paper">{inert(title)}</div>'
    return line, ""


def _linked(line: str, answer: Answer, number: int) -> str:
    """Marks that resolve become links; everything else is inert text."""
    keys = {citation.key for citation in answer.citations}
    pieces = _MARK.split(line)
    shown_pieces = [inert(piece) for piece in pieces]
    said = ""
    for i in range(1, len(pieces), 2):
        said = pieces[i - 1] if pieces[i - 1].strip(" .,;") else said  # [1] [2]: both behind one sentence
        key = int(pieces[i])
        shown_pieces[i] = (
            f'<a class="cw-cite cw-s{support_of(said, key, answer.sentences):.0f}"'
            f' href="#{anchor(number, key)}">[{key}]</a>'
            if key in keys
            else inert(f"[{pieces[i]}]")
        )
    return "".join(shown_pieces)


def support_of(said: str, key: int, sentences: Collection[Sentence]) -> float:
    """How far, in per cent, paper `key` carries what stands before its mark; else the least it carries."""
    citing = [sentence for sentence in sentences if key in sentence.citations]
    spoken = _bare(said)
    same = [s for s in citing if _bare(s.text) and (_bare(s.text) in spoken or spoken in _bare(s.text))]
    return 100 * min((s.support for s in same or citing), default=0.0)


def _bare(text: str) -> str:
    """Letters and digits only: quotation marks, points and clean-up do not tell sentences apart."""
    return "".join(char for char in clean(_MARK.sub("", text)).casefold() if char.isalnum())
