"""A batch on disk: its questions, its answers so far, and how it ended.

    <root>/<id>/questions.jsonl  answers.jsonl  end.json

The id begins with the time, so that names sort by age. A folder appears whole or not at all; one without
`end.json` was interrupted and can be completed.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rag.storage.atomic import whole_folder, write_whole
from rag.types import Failure

Ending = Literal["done", "cancelled", "failed"]
_ID = re.compile(r"[0-9]{14}-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class End:
    """How a batch ended, and what went wrong if it failed as a whole."""

    status: Ending
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The files of one batch."""

    path: Path

    @property
    def questions(self) -> Path:
        """What is asked, a row a line."""
        return self.path / "questions.jsonl"

    @property
    def answers(self) -> Path:
        """What was answered so far, in the same order."""
        return self.path / "answers.jsonl"

    def whole_lines(self) -> bytes:
        """The answers so far; one that is just being written is left out."""
        try:
            text = self.answers.read_bytes()
        except FileNotFoundError:
            return b""
        return text[: text.rfind(b"\n") + 1]

    def end(self) -> End | None:
        """How it ended; None when it has not, or the note of it was torn."""
        try:
            record = json.loads((self.path / "end.json").read_bytes())
            failure = Failure(**record["error"]) if record["error"] else None
            return End(record["status"], failure)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write_end(self, end: End) -> None:
        """Note how it ended."""
        write_whole(self.path / "end.json", json.dumps(asdict(end)))

    def remove(self) -> None:
        """Forget it."""
        shutil.rmtree(self.path, ignore_errors=True)


def create(root: Path, rows: Sequence[Mapping[str, object]]) -> JobFolder:
    """A new batch of these rows."""
    name = f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}-{secrets.token_hex(8)}"
    with (
        whole_folder(root / name, synced=True) as partial,
        (partial / "questions.jsonl").open("w", encoding="utf-8") as file,
    ):
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return JobFolder(root / name)


def existing(root: Path) -> list[JobFolder]:
    """The batches of an earlier server, oldest first; what it left half made is removed."""
    for partial in root.glob(".new-*"):
        shutil.rmtree(partial, ignore_errors=True)
    return [JobFolder(path) for path in sorted(root.iterdir()) if _ID.fullmatch(path.name)]
