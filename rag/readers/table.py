"""CSV and TSV: a header row with at least a title and an abstract column. See `rows` for names.

The delimiter is the one that makes sense of the header. A quote that never closes costs its own
row, not those below it: the reader goes back and takes them up again.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rag.errors import ReadError
from rag.readers.rows import MAX_FIELD_CHARS, PAPER_ROWS, has_needed_columns, paper_of
from rag.readers.source import Row, Source, is_utf8
from rag.types import Paper, Rejected

DELIMITERS = (",", "\t", ";", "|")


def sniff(source: Source) -> bool:
    """Whether the first line names a title and an abstract column."""
    return _delimiter(_header_line(source.head_text)) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a table.

    :raises ReadError: if the file cannot be read, or its header lacks a needed column.
    """
    header_line = _header_line(source.head_text)
    delimiter = _delimiter(header_line)
    if delimiter is None:
        raise ReadError(
            f"{source.path} has no column for the title or none for the abstract. "
            f"Its first line is: {header_line[:200]!r}.",
            hint="Give the file a first line such as `id,title,abstract,year,url,authors`.",
        )
    header = _cells(header_line, delimiter)
    found = records(source.lines(), delimiter, chars_max=MAX_FIELD_CHARS, mended=True)
    next(found, None)
    for record in found:
        yield paper_of(Row(record.line, _fields(header, record)), source.origin)


def _fields(header: list[str], record: TableRecord) -> Mapping[str, object] | str:
    if record.fault:
        return f"broken quoting: {record.fault}"
    if not all(map(is_utf8, record.cells)):
        return PAPER_ROWS.not_utf8
    if len(record.cells) != len(header):
        return f"the row has {len(record.cells)} columns, the header {len(header)}"
    return dict(zip(header, record.cells, strict=True))


def _header_line(text: str) -> str:
    return next((line for line in text.split("\n") if line.strip()), "")


def _delimiter(header_line: str) -> str | None:
    for delimiter in DELIMITERS:
        if has_needed_columns(_cells(header_line, delimiter)):
            return delimiter
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a header line; none when it makes no sense."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


class TableRecord(NamedTuple):
    """The cells of a row, its first and last line, and what is wrong with it: then it has no cells."""

    line: int
    last_line: int
    cells: list[str]
    fault: str


def records(
    lines: Iterator[str], delimiter: str, *, chars_max: int, first_line: int = 1, mended: bool = False
) -> Iterator[TableRecord]:
    """The rows of a table but the blank ones.

    :param chars_max: how long a cell may be.
    :param first_line: the number of the first of `lines`.
    :param mended: lines below a broken one are read again, each as a row. A cell over several lines whose
        quotes are broken then gives rows that were never meant as such: only for who can tell them.
    """
    feed = _Feed(lines, first_line)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.start_record()
        try:
            cells = _next_record(reader, chars_max)
        except csv.Error as exc:
            if not mended:
                yield TableRecord(feed.line, feed.last_line, [], str(exc))
                continue
            text = feed.give_back_all_but_first()
            cells = text.rstrip("\r\n").split("\t") if delimiter == "\t" else []
            # Many TSV writers never quote: a stray quote is then an ordinary character.
            fault = "" if '"' in text and len(cells) > 1 else str(exc)
            yield TableRecord(feed.line, feed.line, cells, fault)
            continue
        if cells is None:
            return
        if cells:
            yield TableRecord(feed.line, feed.last_line, cells, "")


def _next_record(reader: Iterator[list[str]], chars_max: int) -> list[str] | None:
    """The next record, or None at the end. The csv module's size limit is global: put it back."""
    limit = csv.field_size_limit(chars_max)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


class _Feed:
    """Hands lines to the csv reader, counts them, and can take back those of a broken record."""

    def __init__(self, lines: Iterator[str], line: int) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self._taken: list[str] = []
        self.line = line

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        return line

    @property
    def last_line(self) -> int:
        """The line that was taken last."""
        return self.line + len(self._taken) - 1

    def start_record(self) -> None:
        """Whatever is taken from here on belongs to a new record, which starts on `line`."""
        self.line += len(self._taken)
        self._taken.clear()

    def give_back_all_but_first(self) -> str:
        """Queue the record's later lines again; its first line."""
        first, *later = self._taken or [""]
        self._returned.extendleft(reversed(later))
        self._taken = [first]
        return first
