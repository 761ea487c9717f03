"""Thumbs that people gave in the chat: how answers are liked, and what they disliked asked again.

One JSON object a line, as the chat writes it:

    {"question", "history": [{"role", "content"}], "answer": an answer's public JSON,
     "verdict": "up" | "down", "note"?, "at"}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from eval.measure.measures import Measure, mean_of
from eval.measure.results import written
from eval.typed_rows import typed_rows, whole_text
from rag.errors import QuestionFileError, ReadError
from rag.ports import BatchAnswers
from rag.types import Answer, Question, Turn

FILE = "thumbs.json"
_STATUSES = ("answered", "quoted", "abstained", "error")
_HINT = "Give the file in which the chat keeps thumbs; eval/measure/feedback.py describes its lines."


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer as a person saw it."""

    status: str
    text: str
    confidence: float
    titles: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RatedAnswer:
    """One verdict. `again` is what the same question gets now, None when it was not asked again."""

    question: str
    history: tuple[str, ...]
    verdict: str
    note: str
    at: str
    then: ShownAnswer
    again: ShownAnswer | None = None


@dataclass(frozen=True, slots=True)
class Votes:
    """All verdicts: the share of thumbs up by status of the answer, and what was voted down, newest first."""

    count: int
    up: tuple[Measure, ...]
    down: tuple[RatedAnswer, ...]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Turn(_Lenient):
    role: Literal["user", "assistant"]
    content: str


class _Cited(_Lenient):
    title: str


class _Answer(_Lenient):
    status: Literal["answered", "quoted", "abstained", "error"]
    answer: str
    confidence: float
    citations: list[_Cited] = []
    fingerprint: str = ""


class VoteLine(_Lenient):
    """A line of the file."""

    question: str
    history: list[_Turn] = []
    answer: _Answer
    verdict: Literal["up", "down"]
    note: str | None = None
    at: str = ""


def read_thumbs(path: Path) -> list[VoteLine]:
    """The verdicts in order; of several on one answer the last counts. A torn last line is left out.

    :raises QuestionFileError: naming file and line of what is wrong, or when there is nothing to read.
    """
    text = whole_text(path, _HINT)
    whole, _, _ = text.rpartition("\n")
    found: dict[tuple[str, str, str], VoteLine] = {}
    for number, row in typed_rows((whole or text).split("\n"), VoteLine):
        if isinstance(row, str):
            raise QuestionFileError(f"{path}, line {number}: {row}", hint=_HINT)
        key = (row.question, repr(row.history), row.answer.answer)
        found.pop(key, None)
        found[key] = row
    if not found:
        raise QuestionFileError(f"{path}: no thumbs in it", hint=_HINT)
    return list(found.values())


def summarise(rows: Sequence[VoteLine]) -> Votes:
    """Shares and the list of what was voted down."""
    up = [
        mean_of(status, [row.verdict == "up" for row in rows if row.answer.status == status])
        for status in _STATUSES
    ]
    everything = mean_of("all", [row.verdict == "up" for row in rows])
    down = [_rated(row) for row in rows if row.verdict == "down"]
    return Votes(len(rows), (everything, *(one for one in up if one.n)), tuple(reversed(down)))


def _rated(row: VoteLine) -> RatedAnswer:
    return RatedAnswer(
        question=row.question,
        history=tuple(f"{turn.role}: {turn.content}" for turn in row.history),
        verdict=row.verdict,
        note=row.note or "",
        at=row.at,
        then=ShownAnswer(
            row.answer.status,
            row.answer.answer,
            row.answer.confidence,
            tuple(cited.title for cited in row.answer.citations),
            row.answer.fingerprint,
        ),
    )


def ask_again(
    rows: Sequence[VoteLine],
    assistant: BatchAnswers,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Votes:
    """The same, with what each question that was voted down gets now; `told` hears how many are done."""
    asked = summarise(rows)
    down = [row for row in reversed(rows) if row.verdict == "down"]
    questions = [
        Question(row.question, tuple(Turn(turn.role, turn.content) for turn in row.history), str(number))
        for number, row in enumerate(down)
    ]
    again = []
    for old, new in zip(asked.down, assistant.answer_many(questions), strict=True):
        again.append(replace(old, again=_said(new)))
        told(len(again), len(questions))
    return replace(asked, down=tuple(again))


def _said(answer: Answer) -> ShownAnswer:
    text = answer.error.message if answer.error else answer.text
    titles = tuple(citation.title for citation in answer.citations)
    return ShownAnswer(answer.status, text, answer.confidence, titles, answer.fingerprint)


def save(thumbs: Votes, folder: Path) -> None:
    """Into `<folder>/thumbs.json`, whole or not at all.

    :raises OutputError: if it cannot be written.
    """
    written(folder / FILE, _adapter().dump_json(thumbs, indent=1, ensure_ascii=True) + b"\n")


def kept(folder: Path) -> Votes | None:
    """What a folder holds of thumbs; None without.

    :raises ReadError: if the file is something else.
    """
    path = folder / FILE
    try:
        return _adapter().validate_json(path.read_bytes()) if path.exists() else None
    except (OSError, ValidationError) as exc:
        raise ReadError(f"{path}: no thumbs as `citewise eval` writes them", hint="Remove it.") from exc


@cache
def _adapter() -> TypeAdapter[Votes]:
    return TypeAdapter(Votes)
