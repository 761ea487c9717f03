"""The rows of a file of questions (JSONL, CSV, TSV, Parquet, text; `.gz`; or `-`), and where each stands.

`rag.readers` reads them, as a stream; here stand the formats, how large things may be, and in which words a
row is refused. What the fields mean is decided in `rag.batch.questions`.
"""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import SEEK_END
from pathlib import Path
from typing import IO, BinaryIO

from rag.errors import QuestionFileError
from rag.readers.jsonl import fields_in, line_rows
from rag.readers.parquet import batch_rows, seekable
from rag.readers.source import Row, RowRules, gunzipped, is_utf8, text_lines
from rag.readers.table import TableRecord, records

FORMATS = ".jsonl, .csv, .tsv, .parquet or .txt, each also as .gz, or - for standard input"
LINE_CHARS_MAX = 1_000_000
_CELL_CHARS_MAX = 131_072
_GZ_RATIO_MAX = 100
_GZ_BYTES_FREE = 64 << 20
_PARQUET_ROWS = 256  # rows held at once
_RULES = RowRules(
    line_bytes_max=LINE_CHARS_MAX - 1,
    too_long=f"longer than {LINE_CHARS_MAX} characters",
    not_utf8="not UTF-8 text",
    not_json="not valid JSON ({})",
    not_object="valid JSON, but not an object",
)
PlacedRow = tuple[str, Mapping[str, object] | str]


def placed_rows(source: str, stdin: BinaryIO | None = None) -> Iterator[PlacedRow]:
    """Where each row stands, in words, and its fields or why it has none. Blank lines are no rows.

    :raises QuestionFileError: if the file is missing, damaged, of another kind or has no questions.
    """
    path = Path(source)
    try:
        if source == "-":
            for row in _guessed(stdin or sys.stdin.buffer):
                yield f"standard input line {row.line}", row.fields
            return
        with path.open("rb") as raw:
            # The name of a pipe or <(command) says nothing.
            kind = _kind_of(path) if path.is_file() else ""
            stream = _unpacked(raw, source) if kind and source.lower().endswith(".gz") else raw
            unit = "row" if kind == ".parquet" else "line"
            for row in _READERS[kind](stream, source):
                yield f"{source} {unit} {row.line}", row.fields
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise QuestionFileError(
            f"{source}: cannot be read: {reason}", hint="Check the path, or write the file again."
        ) from exc


def _kind_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = "".join(suffixes[-2:-1] if suffixes[-1:] == [".gz"] else suffixes[-1:])
    if not kind or kind not in _READERS:
        raise QuestionFileError(f"{path}: not a kind of file that holds questions", hint=f"Use {FORMATS}.")
    return kind


def _unpacked(packed: BinaryIO, source: str) -> IO[bytes]:
    bytes_max = max(_GZ_BYTES_FREE, _GZ_RATIO_MAX * packed.seek(0, SEEK_END))
    packed.seek(0)
    refusal = QuestionFileError(
        f"{source}: unpacks to more than {_GZ_RATIO_MAX} times its size",
        hint="Unpack the file yourself if you trust it.",
    )
    return gunzipped(packed, bytes_max, refusal)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    return text_lines(stream, _RULES.line_bytes_max)


def _jsonl(stream: IO[bytes], _: str) -> Iterator[Row]:
    return line_rows(_lines(stream), _RULES)


def _plain(stream: IO[bytes], _: str) -> Iterator[Row]:
    for number, line in enumerate(_lines(stream), 1):
        if line.strip():
            yield Row(number, _RULES.fault(line) or {"question": line.strip()})


def _guessed(stream: IO[bytes], _: str = "") -> Iterator[Row]:
    """JSONL if the first line looks like it, else text in which objects are still understood."""
    jsonl: bool | None = None
    for number, line in enumerate(_lines(stream), 1):
        if not line.strip():
            continue
        jsonl = line.lstrip().startswith("{") if jsonl is None else jsonl
        fields = _RULES.fault(line) or fields_in(line, _RULES)
        if isinstance(fields, str) and not jsonl and not _RULES.fault(line):
            fields = {"question": line.strip()}
        yield Row(number, fields)


def _table(delimiters: str, stream: IO[bytes], source: str) -> Iterator[Row]:
    """CSV rows. The delimiter is the first one under which the header names `question`."""
    lines = _lines(stream)
    first = next(lines, "")
    for delimiter in delimiters:
        header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter))]
        if "question" in header:
            break
    else:
        raise _no_column(source, first.strip())
    for record in records(lines, delimiter, chars_max=_CELL_CHARS_MAX, first_line=2):
        yield Row(record.last_line, _cells(header, record))


def _cells(header: list[str], record: TableRecord) -> Mapping[str, object] | str:
    if record.fault:
        return f"not valid CSV ({record.fault})"
    if not all(map(is_utf8, record.cells)):
        return _RULES.not_utf8
    if any(cell.strip() for cell in record.cells[len(header) :]):
        return f"{len(record.cells)} cells under {len(header)} columns (a comma outside quotes?)"
    return dict(zip(header, record.cells, strict=False))


def _parquet(stream: IO[bytes], source: str) -> Iterator[Row]:
    import pyarrow as pa

    def wanted(columns: Iterable[str]) -> list[str]:
        names = {name.strip().lower(): name for name in columns}
        if "question" not in names:
            raise _no_column(source, ", ".join(columns))
        return [names[name] for name in ("id", "question", "history") if name in names]

    try:
        with seekable(stream) as file:
            for row in batch_rows(file, wanted, _RULES, _PARQUET_ROWS):
                yield row if isinstance(row.fields, str) else Row(row.line, _named(row.fields))
    except pa.ArrowException as exc:
        raise QuestionFileError(
            f"{source}: not readable as Parquet: {exc}", hint="Write the file again."
        ) from exc


def _named(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {name.strip().lower(): value for name, value in fields.items()}


def _no_column(source: str, header: str) -> QuestionFileError:
    return QuestionFileError(
        f"{source}: there is no `question` column (it starts with {header[:80]!r})",
        hint="Name the column that holds the questions `question`.",
    )


_READERS: Mapping[str, Callable[[IO[bytes], str], Iterator[Row]]] = {
    "": _guessed,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": partial(_table, ",;\t"),
    ".tsv": partial(_table, "\t,;"),
    ".parquet": _parquet,
    ".txt": _plain,
}
