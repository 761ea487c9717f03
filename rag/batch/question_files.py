"""The formats questions come in: JSONL, CSV, TSV, Parquet and text, also as `.gz`, or `-`.

Yields records: what their fields mean is decided in `rag.batch.questions`. Files are read as a stream;
line length, rows held at once and unpacked size are bounded.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rag.errors import QuestionFileError

FORMATS = ".jsonl, .csv, .tsv, .parquet or .txt, each also as .gz, or - for standard input"
LINE_CHARS_MAX = 1_000_000
_GZ_RATIO_MAX = 100
_GZ_BYTES_FREE = 64 << 20
_PARQUET_ROWS = 256  # rows held at once
_UNDECODED = re.compile("[\udc80-\udcff]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class QuestionRecord(NamedTuple):
    """Where a row stands, and its fields or (a string) the reason it has none."""

    where: str
    fields: Mapping[str, object] | str


def read_records(source: str, stdin: BinaryIO | None = None) -> Iterator[QuestionRecord]:
    """Records of `source` in order, read as they are needed. Blank lines are no records.

    :raises QuestionFileError: if it is missing, damaged, of another kind or has no questions.
    """
    path = Path(source)
    try:
        if source == "-":
            yield from _guessed(stdin or sys.stdin.buffer, "standard input")
            return
        with path.open("rb") as raw:
            if not path.is_file():  # a named pipe or <(command): the name says nothing
                yield from _guessed(raw, source)
                return
            yield from _of_kind(path)(_unzipped(raw, source), source)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise QuestionFileError(
            f"{source}: cannot be read: {reason}", hint="Check the path, or write the file again."
        ) from exc


def _of_kind(path: Path) -> Callable[[BinaryIO, str], Iterator[QuestionRecord]]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2:-1] if suffixes[-1:] == [".gz"] else suffixes[-1:]
    reader = _READERS.get("".join(kind))
    if reader is None:
        raise QuestionFileError(f"{path}: not a kind of file that holds questions", hint=f"Use {FORMATS}.")
    return reader


def _unzipped(raw: BinaryIO, source: str) -> BinaryIO:
    if not source.lower().endswith(".gz"):
        return raw
    return io.BufferedReader(_BoundedGzip(raw, source))


class _BoundedGzip(io.RawIOBase):
    """A gzip stream that refuses to unpack a decompression bomb."""

    def __init__(self, raw: BinaryIO, source: str) -> None:
        self._left = max(_GZ_BYTES_FREE, _GZ_RATIO_MAX * raw.seek(0, io.SEEK_END))
        raw.seek(0)
        self._file = gzip.GzipFile(fileobj=raw)
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer`; 0 at the end."""
        found = self._file.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise QuestionFileError(
                f"{self._source}: unpacks to more than {_GZ_RATIO_MAX} times its size",
                hint="Unpack the file yourself if you trust it.",
            )
        buffer[: len(found)] = found
        return len(found)


class _Lines:
    """Numbered lines of text. Bytes that are not UTF-8 stay visible as lone surrogates."""

    def __init__(self, raw: BinaryIO, source: str) -> None:
        self.source = source
        self.number = 0
        first = raw.readline(LINE_CHARS_MAX)
        if first.startswith(_UTF16_MARKS):
            raw = io.BytesIO((first + raw.read()).decode("utf-16").encode("utf-8", "replace"))
            first = raw.readline(LINE_CHARS_MAX)
        self._first = first.removeprefix(b"\xef\xbb\xbf")
        self._raw = raw

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = piece = self._first or self._raw.readline(LINE_CHARS_MAX)
        self._first = b""
        if not line:
            raise StopIteration
        if not line.endswith(b"\n"):
            while piece and not piece.endswith(b"\n"):
                piece = self._raw.readline(LINE_CHARS_MAX)
        self.number += 1
        return line.decode("utf-8", "surrogateescape")

    def fault(self, line: str) -> str | None:
        """Why a line cannot be used, before anyone parses it."""
        if len(line) >= LINE_CHARS_MAX:
            return f"longer than {LINE_CHARS_MAX} characters"
        return "not UTF-8 text" if _UNDECODED.search(line) else None

    def record(self, fields: Mapping[str, object] | str) -> QuestionRecord:
        """A record that stands on the line read last."""
        return QuestionRecord(f"{self.source} line {self.number}", fields)


def _jsonl(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    lines = _Lines(raw, source)
    for line in lines:
        if line.strip():
            yield lines.record(lines.fault(line) or _json_fields(line))


def _plain(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    lines = _Lines(raw, source)
    for line in lines:
        if line.strip():
            yield lines.record(lines.fault(line) or {"question": line.strip()})


def _guessed(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    """JSONL if the first line looks like it, else text in which objects are still understood."""
    lines = _Lines(raw, source)
    jsonl: bool | None = None
    for line in lines:
        if not line.strip():
            continue
        jsonl = line.lstrip().startswith("{") if jsonl is None else jsonl
        fields = lines.fault(line) or _json_fields(line)
        if isinstance(fields, str) and not jsonl and not lines.fault(line):
            fields = {"question": line.strip()}
        yield lines.record(fields)


def _json_fields(line: str) -> Mapping[str, object] | str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as exc:
        return f"not valid JSON ({exc})"
    return found if isinstance(found, dict) else "valid JSON, but not an object"


def _commas(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    return _table(_Lines(raw, source), ",;\t")


def _tabs(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    return _table(_Lines(raw, source), "\t,;")


def _table(lines: _Lines, delimiters: str) -> Iterator[QuestionRecord]:
    """CSV rows. The delimiter is the first one under which the header names `question`."""
    first = next(lines, "")
    for delimiter in delimiters:
        header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter))]
        if "question" in header:
            break
    else:
        raise _no_column(lines.source, first.strip())
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as exc:
            yield lines.record(f"not valid CSV ({exc})")
        else:
            if cells:
                yield lines.record(_cells(header, cells))


def _cells(header: list[str], cells: list[str]) -> Mapping[str, object] | str:
    if any(_UNDECODED.search(cell) for cell in cells):
        return "not UTF-8 text"
    if any(cell.strip() for cell in cells[len(header) :]):
        return f"{len(cells)} cells under {len(header)} columns (a comma outside quotes?)"
    return dict(zip(header, cells, strict=False))


def _parquet(raw: BinaryIO, source: str) -> Iterator[QuestionRecord]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        seekable = raw if raw.seekable() else io.BytesIO(raw.read())
        file = parquet.ParquetFile(seekable)
        names = {name.strip().lower(): name for name in file.schema_arrow.names}
        if "question" not in names:
            raise _no_column(source, ", ".join(file.schema_arrow.names))
        columns = {name: names[name] for name in ("id", "question", "history") if name in names}
        number = 0
        for batch in file.iter_batches(_PARQUET_ROWS, columns=list(columns.values())):
            for found in batch.to_pylist():
                number += 1
                yield QuestionRecord(f"{source} row {number}", {k: found[v] for k, v in columns.items()})
    except pa.ArrowException as exc:
        raise QuestionFileError(
            f"{source}: not readable as Parquet: {exc}", hint="Write the file again."
        ) from exc


def _no_column(source: str, header: str) -> QuestionFileError:
    return QuestionFileError(
        f"{source}: there is no `question` column (it starts with {header[:80]!r})",
        hint="Name the column that holds the questions `question`.",
    )


_READERS: Mapping[str, Callable[[BinaryIO, str], Iterator[QuestionRecord]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _commas,
    ".tsv": _tabs,
    ".parquet": _parquet,
    ".txt": _plain,
}
