"""Rows of any file, before anyone asks what they mean: lines, objects, cells, bounds, words of refusal."""

from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from rag.errors import ReadError
from rag.readers.jsonl import line_rows
from rag.readers.parquet import batch_rows, seekable
from rag.readers.source import RowRules, gunzipped, is_utf8, text_lines
from rag.readers.table import records

RULES = RowRules(
    line_bytes_max=20, too_long="long", not_utf8="bytes", not_json="json: {}", not_object="no object: {}"
)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\n\nb", ["a\n", "\n", "b"]),
        (b"\xef\xbb\xbfa\r\n", ["a\r\n"]),
        (b"\xef\xbb\xbf", []),
        ("ä\nb".encode("utf-16"), ["ä\n", "b"]),
        (b"12345\n1\n", ["12345\n", "1\n"]),  # as long as may be, and its end
        (b"123456789\n1\n", ["123456", "1\n"]),
        (b"1\n123456789", ["1\n", "123456"]),
    ],
)
def test_lines_come_cut_just_above_the_bound(data: bytes, lines: list[str]) -> None:
    assert list(text_lines(io.BytesIO(data), 5)) == lines


def test_a_byte_that_is_no_utf8_spoils_its_own_line_only() -> None:
    assert [is_utf8(line) for line in text_lines(io.BytesIO(b"a\n\xff\nb\n"), 5)] == [True, False, True]


def test_objects_of_lines_and_the_words_of_the_door() -> None:
    lines = ['{"a": 1}\n', " \n", "[]\n", "{\n", '{"b": "\udcff"}', '{"c": "0123456789012345"}']
    assert [(row.line, row.fields) for row in line_rows(lines, RULES)] == [
        (1, {"a": 1}),
        (3, "no object: list"),
        (4, "json: Expecting property name enclosed in double quotes: line 2 column 1 (char 2)"),
        (5, "bytes"),
        (6, "long"),
    ]


@pytest.mark.parametrize(
    ("mended", "rows"),
    [
        (False, [(2, 3, ["a", "two\nlines"]), (4, 6, [])]),
        (True, [(2, 3, ["a", "two\nlines"]), (4, 4, []), (5, 5, ["c", "d"]), (6, 6, ["e", "f"])]),
    ],
)
def test_a_quote_that_never_closes(mended: bool, rows: list[tuple[int, int, list[str]]]) -> None:
    lines = iter(['a,"two\n', 'lines"\n', 'b,"x\n', "c,d\n", "e,f\n"])
    found = list(records(lines, ",", chars_max=50, first_line=2, mended=mended))
    assert [(record.line, record.last_line, record.cells) for record in found] == rows
    assert [bool(record.fault) for record in found] == [not record.cells for record in found]


def test_a_cell_over_the_bound_is_a_fault_of_its_row() -> None:
    found = list(records(iter(["a,123456\n", "b,12345\n"]), ",", chars_max=5))
    assert [(record.cells, "field limit (5)" in record.fault) for record in found] == [
        ([], True),
        (["b", "12345"], False),
    ]


@pytest.mark.parametrize("length", [9, 10, 11])
def test_gunzip_stops_at_its_bound(length: int) -> None:
    packed = io.BytesIO(gzip.compress(b"x" * length))
    stream = gunzipped(packed, 10, ReadError("too much", hint="Unpack it."))
    if length <= 10:
        assert stream.read() == b"x" * length
    else:
        with pytest.raises(ReadError, match="too much"):
            stream.read()


def test_parquet_rows_are_numbered_and_half_read_ones_say_why() -> None:
    texts = pa.array([b"a", b"\xff", b"c"], pa.binary()).view(pa.string())
    packed = io.BytesIO()
    parquet.write_table(pa.table({"x": texts, "y": [1, 2, 3]}), packed)
    unseekable = gunzipped(io.BytesIO(gzip.compress(packed.getvalue())), 1 << 20, ReadError("", hint=""))
    with seekable(unseekable) as file:
        found = list(batch_rows(file, lambda columns: columns[:1], RULES, 2))
    assert [tuple(row) for row in found] == [(1, {"x": "a"}), (2, "bytes"), (3, {"x": "c"})]
