"""Lines of a public set as typed records; gzipped or not. What does not fit is told by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from eval.typed_rows import typed_rows
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
        for number, row in typed_rows(stream, kind):
            if isinstance(row, str):
                raise ReadError(f"{path}, line {number}: {row}", hint=hint_of(kind))
            count += 1
            yield row
    if not count:
        raise ReadError(f"{path}: no line in it", hint=hint_of(kind))


def hint_of(kind: type[PublicRow]) -> str:
    """What a line has to hold."""
    needed = ", ".join(kind.model_fields)
    return f"One JSON object a line with {needed}; or leave this set out: --public-set NAME of the others."
