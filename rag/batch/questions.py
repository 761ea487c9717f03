"""Makes questions of the rows of a file; a bad row keeps its place and the reason.

Knows what the fields mean; knows neither formats (`rag.batch.question_rows`) nor how to answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from rag.batch.question_rows import placed_rows
from rag.text.printable import readable
from rag.types import Failure, Question, Turn

_HINT = (
    'Give {"question": "..."} per JSON line or fill the `question` column, in UTF-8; `id` is text '
    'or a number, `history` a list of {"role": "user" or "assistant", "content": "..."}.'
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One row of a question file: its 1-based number, its question, and why it cannot be asked.

    `question.id` is always set: the row's own id, else its number.
    """

    number: int
    question: Question
    failure: Failure | None = None


def read_questions(source: str | Path, *, stdin: BinaryIO | None = None) -> Iterator[QuestionRow]:
    """Rows of `source` (`-`: standard input) in order, read as they are needed. Blank lines are no rows.

    :raises QuestionFileError: if it is missing, damaged, of another kind or has no questions.
    """
    for number, (where, fields) in enumerate(placed_rows(str(source), stdin), 1):
        yield _row(number, where, fields)


def count_questions(source: str | Path) -> int | None:
    """How many rows a file holds, read to its end; None for what can be read only once.

    :raises QuestionFileError: if the file cannot be read to its end.
    """
    path = Path(source)
    if str(source) == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
        return None
    return sum(1 for _ in placed_rows(str(source)))


def _row(number: int, where: str, fields: Mapping[str, object] | str) -> QuestionRow:
    if isinstance(fields, str):
        return QuestionRow(number, Question("", id=str(number)), _failure(where, fields))
    faults: list[str] = []
    question = Question(
        text=_field(fields, "question", (_question, ""), faults),
        history=_field(fields, "history", (_history, ()), faults),
        id=_field(fields, "id", (_id, None), faults) or str(number),
    )
    return QuestionRow(number, question, _failure(where, faults[0]) if faults else None)


def _field(
    fields: Mapping[str, object],
    name: str,
    parse: tuple[Callable[[object], _T], _T],
    faults: list[str],
) -> _T:
    """A field parsed; its fallback, and a line in `faults`, when it is of the wrong kind."""
    try:
        return parse[0](fields.get(name))
    except ValueError as exc:
        faults.append(f"`{name}` {exc}")
        return parse[1]


def _failure(where: str, reason: str) -> Failure:
    return Failure(type="BadRow", message=f"{where}: {readable(reason)}", hint=_HINT)


def _question(value: object) -> str:
    if value is None:
        raise ValueError("is missing")
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")
    return readable(value)


def _id(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be text or a number, not {type(value).__name__}")
    return readable(str(value))


def _history(value: object) -> tuple[Turn, ...]:
    """Turns from a list, or from JSON text (CSV cells); empty when there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    turns = value
    if isinstance(value, str):
        try:
            turns = json.loads(value)
        except (ValueError, RecursionError) as exc:
            raise ValueError(f"is not valid JSON ({exc})") from exc
    if not isinstance(turns, list):
        raise ValueError("must be a list of messages")
    return tuple(_turn(position, turn) for position, turn in enumerate(turns, 1))


def _turn(position: int, value: object) -> Turn:
    role = value.get("role") if isinstance(value, dict) else None
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, str) or role not in ("user", "assistant"):
        raise ValueError(f"message {position} is not {{role: user or assistant, content: text}}")
    return Turn("user" if role == "user" else "assistant", readable(content))
