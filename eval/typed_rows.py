"""Lines of JSONL as typed records. What does not fit is told by the line's number and the field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from rag.errors import QuestionFileError

_R = TypeVar("_R", bound=BaseModel)


def typed_rows(lines: Iterable[str | bytes], kind: type[_R]) -> Iterator[tuple[int, _R | str]]:
    """Each line's number, from 1, with its record or why it is none; blank lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _typed(line, kind)


def _typed(line: str | bytes, kind: type[_R]) -> _R | str:
    try:
        return kind.model_validate_json(line)
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return f"`{field}`: {first['msg']}" if field else first["msg"]


def whole_text(path: Path, hint: str) -> str:
    """The text of a file of questions or answers, without BOM.

    :raises QuestionFileError: if it cannot be read, with this hint.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise QuestionFileError(f"{path}: cannot be read: {reason}", hint=hint) from exc
