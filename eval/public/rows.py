"""Lines of a public set as typed records; gzipped or not. What does not fit is told by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.errors import ReadError
from rag.readers.source import open_bytes


class PublicRow(BaseModel):
    """What a loader needs of a line; whatever else stands there is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


_R = TypeVar("_R", bound=PublicRow)


def read_rows(path: Path, kind: type[_R]) -> Iterator[_R]:
    """The lines of a JSONL file in order; blank ones are passed over.

    :raises ReadError: naming file, line and field; also when the file is missing, damaged or holds no line.
    """
    count = 0
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                count += 1
                yield _row(line, kind, f"{path}, line {number}")
    if not count:
        raise ReadError(f"{path}: no line in it", hint=hint_of(kind))


def _row(line: bytes, kind: type[_R], place: str) -> _R:
    try:
        return kind.model_validate_json(line)
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        told = f"`{field}`: {first['msg']}" if field else first["msg"]
        raise ReadError(f"{place}: {told}", hint=hint_of(kind)) from exc


def hint_of(kind: type[PublicRow]) -> str:
    """What a line has to hold."""
    needed = ", ".join(kind.model_fields)
    return f"One JSON object a line with {needed}; or leave this set out: --public-set NAME of the others."
