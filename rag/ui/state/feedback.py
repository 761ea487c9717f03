"""Thumbs up and down, kept as JSON lines in the user's data folder for `citewise eval --thumbs`.

One line per answer: voting again replaces the line, so that a change of mind is not counted twice.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.errors import OutputError
from rag.storage.atomic import write_whole
from rag.types import Answer, Turn

Verdict = Literal["up", "down"]
NOTE_CHARS_MAX = 2000
_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person thought of an answer, and what was said before it."""

    answer: Answer
    history: Sequence[Turn]
    verdict: Verdict
    at: str
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The line, as `citewise eval` reads it."""
        note = self.note.strip()[:NOTE_CHARS_MAX]
        return {
            "question": self.answer.question,
            "history": [{"role": turn.role, "content": turn.content} for turn in self.history],
            "answer": self.answer.to_dict(),
            "verdict": self.verdict,
            **({"note": note} if note else {}),
            "at": self.at,
        }


def record(path: Path, feedback: Feedback) -> None:
    """Write a vote to disk, in the place of an earlier one about the same answer.

    :raises OutputError: if the file cannot be written.
    """
    line = json.dumps(feedback.to_dict(), ensure_ascii=True)
    with _writing:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = [old for old in _lines(path) if not _about_the_same(old, line)]
            write_whole(path, "".join(f"{text}\n" for text in [*kept, line]), synced=True)
        except OSError as exc:
            raise OutputError(
                f"{path}: your vote could not be written ({exc.strerror or exc})",
                hint="Make room on the disk, or set CITEWISE_DATA_DIR to a folder you can write.",
            ) from exc


def _lines(path: Path) -> list[str]:
    """Every line, also those that are not ours: a vote never costs another one."""
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def _about_the_same(old: str, new: str) -> bool:
    try:
        return _subject(json.loads(old)) == _subject(json.loads(new))
    except (ValueError, KeyError, TypeError):
        return False


def _subject(line: dict[str, Any]) -> tuple[str, ...]:
    answer = line["answer"]
    parts = [line["question"], line["history"], answer["answer"], answer["status"], answer["fingerprint"]]
    return tuple(json.dumps(part) for part in parts)
