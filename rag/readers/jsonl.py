"""JSON: one object per line, or one array of objects. Column names: see `rows`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from rag.errors import ReadError
from rag.readers.rows import paper_from
from rag.readers.source import MAX_LINE_BYTES, Source, is_utf8
from rag.types import Paper, Rejected

Row = Mapping[str, object]
Adapt = Callable[[Row], Row]
_OPENS_ROWS = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])")
_BLANK = re.compile(r"\s*")
_FIRST_ARRAY = re.compile(r"\[")
_NEXT_ITEM = re.compile(r"\s*(,?)\s*")


def sniff(source: Source) -> bool:
    """Whether the file begins as a JSON object or an array of objects does."""
    return _OPENS_ROWS.match(source.head_text) is not None


def as_it_is(row: Row) -> Row:
    """A row whose columns go by the names of `rows`."""
    return row


def read(
    source: Source, adapt: Adapt = as_it_is, *, array: re.Pattern[str] | None = None
) -> Iterator[Paper | Rejected]:
    """The papers of a JSONL file or a JSON array.

    :param adapt: makes a row of ours of a dialect's object.
    :param array: where in an object the array of rows begins.
    :raises ReadError: if the file cannot be read, or holds one object over several lines.
    """
    head = source.head_text.lstrip()
    if array or head.startswith("["):
        yield from _from_array(source, adapt, array or _FIRST_ARRAY)
    elif head.split("\n", 1)[0].strip() == "{":
        raise ReadError(
            f"{source.path} holds one JSON object over several lines, not a list of papers.",
            hint="Save the papers as a list, [{...}, {...}], or as JSONL, one object per line.",
        )
    else:
        yield from _from_lines(source, adapt)


def _from_lines(source: Source, adapt: Adapt) -> Iterator[Paper | Rejected]:
    for number, line in enumerate(source.lines(), start=1):
        if line.strip():
            yield _from_line(line, adapt, source.origin, number)


def _from_line(line: str, adapt: Adapt, origin: str, number: int) -> Paper | Rejected:
    if not is_utf8(line):
        return Rejected(origin, number, "not valid UTF-8")
    if len(line) > MAX_LINE_BYTES:
        return Rejected(origin, number, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        return Rejected(origin, number, f"invalid JSON: {_short(exc)}")
    return _from_object(row, adapt, origin, number)


def _from_object(row: object, adapt: Adapt, origin: str, line: int) -> Paper | Rejected:
    if not isinstance(row, dict):
        return Rejected(origin, line, f"not a JSON object but {type(row).__name__}")
    return paper_from(adapt(row), origin=origin, line=line)


def _from_array(source: Source, adapt: Adapt, array: re.Pattern[str]) -> Iterator[Paper | Rejected]:
    """Items with the line each starts on. Broken JSON ends the array: what follows is unknown."""
    text = source.text()
    decode = json.JSONDecoder().raw_decode
    opened = array.search(text)
    position = _skip_blank(text, opened.end() if opened else 0)
    line = 1 + text.count("\n", 0, position)
    while position < len(text) and text[position] != "]":
        try:
            item, end = decode(text, position)
        except (ValueError, RecursionError) as exc:
            reason = f"invalid JSON, the rest of the array is not read: {_short(exc)}"
            yield Rejected(source.origin, line, reason)
            return
        if is_utf8(text[position:end]):
            yield _from_object(item, adapt, source.origin, line)
        else:
            yield Rejected(source.origin, line, "not valid UTF-8")
        following = _NEXT_ITEM.match(text, end)
        position, start = (following.end() if following else end), position
        line += text.count("\n", start, position)
        if not (following and following[1]) and text[position : position + 1] not in ("]", ""):
            yield Rejected(source.origin, line, "invalid JSON: a comma is missing before this item")
    if position >= len(text):
        yield Rejected(source.origin, line, "the array has no closing bracket: the file is cut off")


def _skip_blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _short(error: BaseException) -> str:
    return str(error)[:100] or type(error).__name__
