"""The question set over the shipped corpus: one JSON object a line in `eval/questions/*.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.types import Question, Turn

FOLDER = Path(__file__).parent / "questions"


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with what a right answer holds.

    `must`: each inner tuple names alternatives, one of which has to occur in the answer.
    `evidence`: (title, verbatim text) pairs that carry the ideal answer.
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


def load(split: str | None = None, files: Iterable[Path] | None = None) -> list[Gold]:
    """All questions, or those of one split ('dev' or 'test'), in file order."""
    found = []
    for path in files or sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            gold = _gold(json.loads(line))
            if split in {None, gold.split}:
                found.append(gold)
    return found


def _gold(record: dict) -> Gold:  # type: ignore[type-arg]
    history = tuple(Turn(turn["role"], turn["content"]) for turn in record["history"])
    return Gold(
        question=Question(record["question"], history, record["id"]),
        type=record["type"],
        split=record["split"],
        answerable=record["answerable"],
        titles=tuple(record["titles"]),
        evidence=tuple((e["title"], e["text"]) for e in record["evidence"]),
        must=tuple(tuple(alternatives) for alternatives in record["must"]),
        answer=record["answer"],
        standalone=record["standalone"],
    )
