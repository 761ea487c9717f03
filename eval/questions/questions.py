"""Question files for measuring: one JSON object a line, over the shipped corpus or over your own papers.

    {"id": "q1", "question": "Who ...?", "titles": ["The right paper"], "must": [["1.2 trillion", "1.2T"]]}

`id` and `question` are needed, all else is optional: `type` (a group of the table), `history`,
`standalone`, `answerable` (default true), `titles` of the gold papers, `evidence` [{title, text}], an ideal
`answer`, `must`, `split` (dev or test; without one a question belongs to both) and a `note`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from eval.typed_rows import typed_rows, whole_text
from rag.errors import QuestionFileError
from rag.types import Question, Turn

FOLDER = Path(__file__).parent
SPLITS = ("dev", "test", "all")
_FAULTS_SHOWN = 5
_HINT = "Mend the lines named; eval/questions/questions.py describes the format."
_Member = TypeVar("_Member")
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with what a right answer holds.

    `must`: each inner tuple names alternatives, one of which has to occur in the answer.
    `evidence`: (title, verbatim text) pairs that carry the ideal answer.
    `split`: 'dev', 'test', or empty when the file does not split.
    """

    question: Question
    type: str
    split: str
    answerable: bool
    titles: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    must: tuple[tuple[str, ...], ...]
    answer: str | None
    standalone: str | None

    @property
    def id(self) -> str:
        """The question's id; never empty after `load`."""
        return self.question.id or ""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Turn(_Strict):
    role: Literal["user", "assistant"]
    content: str


class _Evidence(_Strict):
    title: _Text
    text: _Text


class _Record(_Strict):
    """A line of a question file."""

    id: _Text
    question: str
    type: _Text = "question"
    history: list[_Turn] = []
    standalone: str | None = None
    answerable: bool = True
    titles: list[_Text] = []
    evidence: list[_Evidence] = []
    must: list[Annotated[list[_Text], Field(min_length=1)]] = []
    answer: str | None = None
    split: Literal["dev", "test", ""] = ""
    note: str | None = None


def load(split: str | None = None, files: Iterable[Path] | None = None) -> list[Gold]:
    """The questions of these files (default: the shipped ones) in order; `split` None or 'all' for all.

    :raises QuestionFileError: naming file and line of what is wrong, or when nothing is left.
    """
    paths = list(files or sorted(FOLDER.glob("*.jsonl")))
    faults: list[str] = []
    golds = [gold for path in paths for gold in _golds(path, faults)]
    faults += _repeated(golds)
    if faults:
        more = f"\nand {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise QuestionFileError("\n".join(faults[:_FAULTS_SHOWN]) + more, hint=_HINT)
    wanted = [gold for gold in golds if split in {None, "all", gold.split} or not gold.split]
    if not wanted:
        where = ", ".join(str(path) for path in paths) or str(FOLDER)
        raise QuestionFileError(f"no question of split {split!r} in {where}", hint="Try --split all.")
    return wanted


def spread(members: Sequence[_Member], limit: int | None) -> list[_Member]:
    """At most `limit` of them, evenly over the whole."""
    count = min(limit or len(members), len(members))
    return [members[place * len(members) // count] for place in range(count)]


def digest(golds: Sequence[Gold]) -> str:
    """First 16 hex digits of sha256 over everything the questions say: equal digests, equal questions."""
    return hashlib.sha256("\n".join(map(repr, golds)).encode()).hexdigest()[:16]


def _golds(path: Path, faults: list[str]) -> Iterator[Gold]:
    for number, record in typed_rows(whole_text(path, _HINT).split("\n"), _Record):
        if isinstance(record, str):
            faults.append(f"{path}, line {number}: {record}")
        else:
            yield _gold(record)


def _repeated(golds: Sequence[Gold]) -> list[str]:
    counted = Counter(gold.id for gold in golds)
    return [f"id {json.dumps(name)} is used twice" for name, count in counted.items() if count > 1]


def _gold(record: _Record) -> Gold:
    history = tuple(Turn(turn.role, turn.content) for turn in record.history)
    return Gold(
        question=Question(record.question, history, record.id),
        type=record.type,
        split=record.split,
        answerable=record.answerable,
        titles=tuple(record.titles),
        evidence=tuple((item.title, item.text) for item in record.evidence),
        must=tuple(tuple(alternatives) for alternatives in record.must),
        answer=record.answer,
        standalone=record.standalone,
    )
