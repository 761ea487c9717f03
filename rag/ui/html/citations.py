"""The text of an answer with its [n] marks as links, each with the support of the sentence it stands behind.

Pure functions: `Answer` -> lines of pieces -> HTML.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from rag.text.clean import clean
from rag.text.marks import with_marks
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


class PaperRow(NamedTuple):
    """A paper of a comparison: its title, what it says as pieces, the words of it that carry that."""

    title: str
    says: Sequence[Piece]
    quotes: Sequence[str]


def answer_html(answer: Answer, number: int) -> Markup:
    """A part for each line of the answer; what several papers say is a table below what they say together."""
    rows = _rows(answer, number)
    if not rows:
        return fill("citations.html", "answer", lines=list(_lines(answer, number)))
    together = [with_marks(s.text, s.citations) for s in answer.sentences if len(s.citations) > 1]
    summary = [Line("line", "", [_pieces(clean(text), answer, number)]) for text in together]
    return fill("citations.html", "comparison", lines=summary, rows=rows)


def _rows(answer: Answer, number: int) -> list[PaperRow]:
    """One a paper; a paper that is only quoted says its quotes."""
    quotes = {citation.key: [clean(quote.text) for quote in citation.quotes] for citation in answer.citations}
    rows = []
    for finding in answer.findings:
        said = [s for s in answer.sentences if s.citations == (finding.key,)]
        text = " ".join(with_marks(clean(s.text), s.citations) for s in said)
        copied = {_bare(s.text) for s in said}
        carrying = [quote for quote in quotes.get(finding.key, ()) if _bare(quote) not in copied]
        rows.append(PaperRow(clean(finding.title), _pieces(text, answer, number), carrying))
    return rows


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
