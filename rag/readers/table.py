"""CSV and TSV: a header row with at least a title and an abstract column. See `rows` for names.

The delimiter is the one that makes sense of the header. A quote that never closes costs its own
row, not those below it: the reader goes back and takes them up again.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from rag.errors import ReadError
from rag.readers.rows import MAX_FIELD_CHARS, has_needed_columns, paper_from
from rag.readers.source import Source, is_utf8
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
    records = _records(source.lines(), delimiter)
    next(records, None)
    for line, cells, fault in records:
        if fault or not all(map(is_utf8, cells)):
            yield Rejected(source.origin, line, fault or "not valid UTF-8")
        elif len(cells) != len(header):
            reason = f"the row has {len(cells)} columns, the header {len(header)}"
            yield Rejected(source.origin, line, reason)
        else:
            row = dict(zip(header, cells, strict=True))
            yield paper_from(row, origin=source.origin, line=line)


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


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """`(first line, cells, fault)` per record; with a fault there are no cells."""
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.start_record()
        try:
            cells = _next_record(reader)
        except csv.Error as exc:
            text = feed.give_back_all_but_first()
            cells = text.rstrip("\r\n").split("\t") if delimiter == "\t" else []
            # Many TSV writers never quote: a stray quote is then an ordinary character.
            fault = "" if '"' in text and len(cells) > 1 else f"broken quoting: {exc}"
            yield feed.line, cells, fault
            continue
        if cells is None:
            return
        if cells:
            yield feed.line, cells, ""


def _next_record(reader: Iterator[list[str]]) -> list[str] | None:
    """The next record, or None at the end. The csv module's size limit is global: put it back."""
    limit = csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


class _Feed:
    """Hands lines to the csv reader, counts them, and can take back those of a broken record."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self._taken: list[str] = []
        self.line = 1

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        return line

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
