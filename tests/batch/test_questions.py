from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rag.batch.question_rows import LINE_CHARS_MAX
from rag.batch.questions import count_questions, read_questions
from rag.errors import QuestionFileError
from rag.types import Turn

HISTORY = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
TURNS = (Turn("user", "Hi"), Turn("assistant", "Yes"))


def rows_of(source, stdin=None):
    """(id, question) of every row; the reason instead of the question when it is bad."""
    return [
        (row.question.id, row.failure.message if row.failure else row.question.text)
        for row in read_questions(source, stdin=stdin)
    ]


GOOD = [
    ("q.jsonl", b'{"question": "a"}\n{"id": "x", "question": "b"}\n', [("1", "a"), ("x", "b")]),
    ("q.jsonl", b'{"question": "a"}\n\n  \n{"question": "b"}', [("1", "a"), ("2", "b")]),
    ("q.ndjson", b'\xef\xbb\xbf{"question": "\xc3\xa9"}\r\n', [("1", "é")]),
    ("q.jsonl", b'{"question": "a", "id": 7, "more": [1]}\n', [("7", "a")]),
    ("q.jsonl", b'{"question": "a", "id": 0}\n', [("0", "a")]),
    ("q.jsonl", b'{"question": "a", "id": null, "history": null}\n', [("1", "a")]),
    ("q.jsonl", b'{"question": "\\ud800x"}\n', [("1", "\ufffdx")]),
    ("q.jsonl", b'{"question": ""}\n', [("1", "")]),
    ("q.jsonl", b"", []),
    ("q.csv", b"question\na\nb\n", [("1", "a"), ("2", "b")]),
    ("q.csv", b"id,question\nx,a\n,b\n", [("x", "a"), ("2", "b")]),
    ("q.csv", b'\xef\xbb\xbf Question ,ID\r\n"a, ""b""",x\r\n', [("x", 'a, "b"')]),
    ("q.csv", b'question\n"two\nlines"\n\nb\n', [("1", "two\nlines"), ("2", "b")]),
    ("q.csv", b"id;question\nx;a, b\n", [("x", "a, b")]),
    ("q.csv", "question\tid\nwide\tx\n".encode("utf-16"), [("x", "wide")]),
    ("q.tsv", b"question\tid\na, b\tx\n", [("x", "a, b")]),
    ("q.CSV", b"question\na\n", [("1", "a")]),
    ("q.csv", b"question,note\na,\nb,,\n", [("1", "a"), ("2", "b")]),
    ("q.txt", b"a\n\n  b  \n", [("1", "a"), ("2", "b")]),
    ("q.txt", b'{"question": "a"}\n', [("1", '{"question": "a"}')]),
    ("q.txt", b"last line without end", [("1", "last line without end")]),
]


@pytest.mark.parametrize(("name", "data", "expected"), GOOD)
@pytest.mark.parametrize("zipped", [False, True])
def test_good_rows(tmp_path, name, data, expected, zipped):
    path = tmp_path / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert rows_of(path) == expected
    assert count_questions(path) == len(expected)


BAD = [
    ("q.jsonl", b"{}\n", "`question` is missing"),
    ("q.jsonl", b'{"question": 3}\n', "`question` must be text, not int"),
    ("q.jsonl", b'{"question": null}\n', "`question` is missing"),
    ("q.jsonl", b'{"question": "a", "id": [1]}\n', "`id` must be text or a number"),
    ("q.jsonl", b'{"question": "a", "id": true}\n', "`id` must be text or a number"),
    ("q.jsonl", b'{"question": "a", "history": 3}\n', "`history` must be a list"),
    ("q.jsonl", b'{"question": "a", "history": ["x"]}\n', "message 1"),
    (
        "q.jsonl",
        b'{"question": "a", "history": [{"role": "system", "content": ""}]}\n',
        "message 1",
    ),
    ("q.jsonl", b'{"question": "a", "history": [{"role": "user"}]}\n', "message 1"),
    ("q.jsonl", b'{"question": "a"\n', "not valid JSON"),
    ("q.jsonl", b"[1]\n", "not an object"),
    ("q.jsonl", b"[" * 100_000 + b"\n", "not valid JSON"),
    ("q.jsonl", b'{"question": "\xff"}\n', "not UTF-8"),
    ("q.jsonl", b'{"question": "' + b"x" * LINE_CHARS_MAX + b'"}\n', "longer than"),
    ("q.txt", b"\xe9t\xe9\n", "not UTF-8"),
    ("q.csv", b"question\n\xff\n", "not UTF-8"),
    ("q.csv", b"id,question\nx\n", "`question` is missing"),
    ("q.csv", b"id,question\nx,What is A, and B?\n", "3 cells under 2 columns"),
    ("q.csv", b'question\n"a"b\n', "not valid CSV"),
    ("q.csv", b"question\n" + b"x" * 200_000 + b"\n", "not valid CSV"),
    ("q.csv", b"question,history\na,[1\n", "`history` is not valid JSON"),
]


@pytest.mark.parametrize(("name", "data", "reason"), BAD)
def test_a_bad_row_keeps_its_place(tmp_path, name, data, reason):
    path = tmp_path / name
    good = {"q.jsonl": b'{"question": "good"}\n', "q.txt": b"good\n", "q.csv": b""}[name]
    path.write_bytes(good + data + good)
    rows = list(read_questions(path))
    bad = [row for row in rows if row.failure]
    assert len(bad) == 1
    assert len(rows) == (3 if good else 1)
    assert rows.index(bad[0]) == len(rows) // 2
    assert reason in bad[0].failure.message
    assert f"{path} line 2" in bad[0].failure.message
    assert bad[0].failure.type == "BadRow"
    assert bad[0].failure.hint


def test_a_bad_row_keeps_the_good_fields(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text('{"id": "x", "question": "a", "history": 3}\n')
    (row,) = read_questions(path)
    assert (row.question.id, row.question.text, row.question.history) == ("x", "a", ())


def test_history_from_json_and_from_a_cell(tmp_path):
    line, cell = tmp_path / "q.jsonl", tmp_path / "q.csv"
    line.write_text(json.dumps({"question": "a", "history": HISTORY}))
    cell.write_text('question,history\na,"{}"\n'.format(json.dumps(HISTORY).replace('"', '""')))
    for path in (line, cell):
        (row,) = read_questions(path)
        assert row.question.history == TURNS


@pytest.mark.parametrize("nested", [True, False])
def test_parquet(tmp_path, nested):
    history = [HISTORY, None] if nested else [json.dumps(HISTORY), None]
    table = pa.table({"note": [1, 2], "Question": ["a", None], "id": [5, 6], "history": history})
    path = tmp_path / "q.parquet"
    parquet.write_table(table, path)
    first, second = read_questions(path)
    assert (first.question.id, first.question.text, first.question.history) == ("5", "a", TURNS)
    assert second.failure.message == f"{path} row 2: `question` is missing"
    zipped = tmp_path / "q.parquet.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert [row.question for row in read_questions(zipped)] == [first.question, second.question]


STDIN = [
    (b'{"question": "a"}\n{"question": "b"}\n', [("1", "a"), ("2", "b")]),
    (b"What?\nWhy?\n", [("1", "What?"), ("2", "Why?")]),
    (b'What?\n{"id": "x", "question": "b"}\n', [("1", "What?"), ("x", "b")]),
    (b"12\n[1]\n", [("1", "12"), ("2", "[1]")]),
    (b"", []),
]


@pytest.mark.parametrize(("data", "expected"), STDIN)
def test_standard_input(data, expected):
    assert rows_of("-", io.BytesIO(data)) == expected
    assert count_questions("-") is None


def test_standard_input_with_a_broken_json_line():
    data = b'{"question": "a"\n{"question": "b"}\nnot json\n'
    rows = list(read_questions("-", stdin=io.BytesIO(data)))
    assert [bool(row.failure) for row in rows] == [True, False, True]


UNREADABLE = [
    ("missing.jsonl", None, "No such file"),
    ("q.xlsx", b"x", "not a kind of file"),
    ("q", b"x", "not a kind of file"),
    ("q.gz", b"x", "not a kind of file"),
    ("q.csv", b"", "no `question` column"),
    ("q.csv", b"text\na\n", "no `question` column"),
    ("q.parquet", b"PAR1", "not readable as Parquet"),
    ("q.jsonl.gz", b"not gzip", "cannot be read"),
    ("q.jsonl.gz", gzip.compress(b'{"question": "a"}\n')[:-5], "cannot be read"),
    ("q.csv", b"question," + b"x" * 200_000, "cannot be read"),
]


@pytest.mark.parametrize(("name", "data", "reason"), UNREADABLE)
def test_unreadable_files(tmp_path, name, data, reason):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(QuestionFileError, match=reason) as caught:
        list(read_questions(path))
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_folder_is_unreadable(tmp_path):
    with pytest.raises(QuestionFileError):
        list(read_questions(tmp_path))


def test_a_parquet_file_without_questions(tmp_path):
    path = tmp_path / "q.parquet"
    parquet.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(QuestionFileError, match="no `question` column"):
        list(read_questions(path))


def test_a_decompression_bomb_is_refused(tmp_path):
    path = tmp_path / "q.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * (80 << 20), compresslevel=1))
    with pytest.raises(QuestionFileError, match="unpacks to more"):
        count_questions(path)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=5))
def test_any_text_round_trips_through_jsonl(texts):
    data = "".join(json.dumps({"question": text}) + "\n" for text in texts).encode()
    rows = list(read_questions("-", stdin=io.BytesIO(data)))
    assert [row.question.text for row in rows] == texts


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200), name=st.sampled_from(["q.jsonl", "q.csv", "q.txt", "q.tsv"]))
def test_any_bytes_give_rows_or_one_named_error(tmp_path_factory, data, name):
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(b"question\n" + data if name.endswith("sv") else data)
    for row in read_questions(path):
        assert row.question.id
        row.question.text.encode("utf-8")
