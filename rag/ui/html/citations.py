"""The text of an answer with its [n] marks as links, each with the support of the sentence it stands behind.

Pure functions: `Answer` -> lines of pieces -> HTML.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from rag.text.clean import clean
from rag.types import Answer, Sentence
from rag.ui.html.environment import fill
from rag.ui.html.evidence import anchor

_MARK = re.compile(r"\[(\d{1,3})\]")
_BETWEEN_QUOTES = re.compile(r"(?<=\])\s+(?=“)")


class Piece(NamedTuple):
    """Some text; or a mark's number, with the `anchor` of its card in the evidence and its support in %."""

    text: str
    anchor: Markup | None = None
    percent: int = 0


class Line(NamedTuple):
    """A line of the answer: 'line' or 'item' of a list, the title it begins with, its quotes as pieces."""

    kind: str
    title: str
    quotes: Sequence[Sequence[Piece]]


def answer_html(answer: Answer, number: int) -> Markup:
    """A part for each line of the answer; lines that begin with '- ' are a list."""
    return fill("citations.html", "answer", lines=list(_lines(answer, number)))


def _lines(answer: Answer, number: int) -> Iterator[Line]:
    message = answer.abstention.message if answer.abstention else answer.text
    titles = [clean(citation.title) for citation in answer.citations]
    for line in map(clean, filter(str.strip, message.splitlines())):  # `clean` joins lines
        kind, said = ("item", line[2:]) if line.startswith("- ") else ("line", line)
        title = next((title for title in titles if said.startswith(f"{title}: ")), "")
        said = said[len(title) + 2 :] if title else said
        quotes = _BETWEEN_QUOTES.split(said) if said.startswith("“") else [said]
        yield Line(kind, title, [_pieces(quote, answer, number) for quote in quotes])


def _pieces(line: str, answer: Answer, number: int) -> list[Piece]:
    """Marks that resolve become links; everything else stays text."""
    keys = {citation.key for citation in answer.citations}
    parts = _MARK.split(line)
    pieces = [Piece(parts[0])]
    said = ""
    for i in range(1, len(parts), 2):
        said = parts[i - 1] if parts[i - 1].strip(" .,;") else said  # [1] [2]: both behind one sentence
        key = int(parts[i])
        percent = round(support_of(said, key, answer.sentences))
        linked = Piece(str(key), anchor(number, key), percent)
        pieces += [linked if key in keys else Piece(f"[{parts[i]}]"), Piece(parts[i + 1])]
    return pieces


def support_of(said: str, key: int, sentences: Collection[Sentence]) -> float:
    """How far, in per cent, paper `key` carries what stands before its mark; else the least it carries."""
    citing = [sentence for sentence in sentences if key in sentence.citations]
    spoken = _bare(said)
    same = [s for s in citing if _bare(s.text) and (_bare(s.text) in spoken or spoken in _bare(s.text))]
    return 100 * min((s.support for s in same or citing), default=0.0)


def _bare(text: str) -> str:
    """Letters and digits only: quotation marks, points and clean-up do not tell sentences apart."""
    return "".join(char for char in clean(_MARK.sub("", text)).casefold() if char.isalnum())
