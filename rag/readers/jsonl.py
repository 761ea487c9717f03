"""JSON: one object per line, or one array of objects. Column names: see `rows`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from rag.errors import ReadError
from rag.readers.rows import PAPER_ROWS, Adapt, as_it_is, paper_of
from rag.readers.source import Row, RowRules, Source, is_utf8
from rag.types import Paper, Rejected

_OPENS_ROWS = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])")
_BLANK = re.compile(r"\s*")
_FIRST_ARRAY = re.compile(r"\[")
_NEXT_ITEM = re.compile(r"\s*(,?)\s*")


def sniff(source: Source) -> bool:
    """Whether the file begins as a JSON object or an array of objects does."""
    return _OPENS_ROWS.match(source.head_text) is not None


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
        rows = _array_rows(source.text(), array or _FIRST_ARRAY)
    elif head.split("\n", 1)[0].strip() == "{":
        raise ReadError(
            f"{source.path} holds one JSON object over several lines, not a list of papers.",
            hint="Save the papers as a list, [{...}, {...}], or as JSONL, one object per line.",
        )
    else:
        rows = line_rows(source.lines(), PAPER_ROWS)
    for row in rows:
        yield paper_of(row, source.origin, adapt)


def line_rows(lines: Iterable[str], rules: RowRules) -> Iterator[Row]:
    """The objects of JSONL, each with its line. Blank lines are no rows."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield Row(number, rules.fault(line) or fields_in(line, rules))


def fields_in(line: str, rules: RowRules) -> Mapping[str, object] | str:
    """The object a line holds, or why it holds none."""
    try:
        return _object(json.loads(line), rules)
    except (ValueError, RecursionError) as exc:
        return rules.not_json.format(_short(exc))


def _object(found: object, rules: RowRules) -> Mapping[str, object] | str:
    return found if isinstance(found, dict) else rules.not_object.format(type(found).__name__)


def _array_rows(text: str, array: re.Pattern[str]) -> Iterator[Row]:
    """Items with the line each starts on. Broken JSON ends the array: what follows is unknown."""
    decode = json.JSONDecoder().raw_decode
    opened = array.search(text)
    position = _skip_blank(text, opened.end() if opened else 0)
    line = 1 + text.count("\n", 0, position)
    while position < len(text) and text[position] != "]":
        try:
            item, end = decode(text, position)
        except (ValueError, RecursionError) as exc:
            reason = f"invalid JSON, the rest of the array is not read: {_short(exc)}"
            yield Row(line, reason)
            return
        if is_utf8(text[position:end]):
            yield Row(line, _object(item, PAPER_ROWS))
        else:
            yield Row(line, PAPER_ROWS.not_utf8)
        following = _NEXT_ITEM.match(text, end)
        position, start = (following.end() if following else end), position
        line += text.count("\n", start, position)
        if not (following and following[1]) and text[position : position + 1] not in ("]", ""):
            yield Row(line, "invalid JSON: a comma is missing before this item")
    if position >= len(text):
        yield Row(line, "the array has no closing bracket: the file is cut off")


def _skip_blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _short(error: BaseException) -> str:
    return str(error)[:100] or type(error).__name__
