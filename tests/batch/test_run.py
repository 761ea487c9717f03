from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from fake_assistant import FakeAssistant, answer_to
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rag.batch.exports import guard, unguard
from rag.batch.questions import read_questions
from rag.batch.results import Journal, is_known_output, json_line, open_results
from rag.batch.run import answer_rows
from rag.errors import CitewiseError, GenerationFailed, OutputError

HERE = Path(__file__).parents[1]
KEYS = list(answer_to("x", "1", "f").to_dict())


def questions_file(folder: Path, count: int = 60) -> Path:
    """Questions of every outcome with bad rows between them."""
    path = folder / "questions.jsonl"
    kinds = ["plain", "quote", "unknown", "fail"]
    with path.open("w") as file:
        for number in range(count):
            if number % 13 == 5:
                file.write('{"id": "broken"\n')
            else:
                words = f"{kinds[number % 4]} question {number} é\u2028?"
                file.write(json.dumps({"id": f"q{number}", "question": words}) + "\n")
    return path


def run(source, output, assistant=None, *, restart=False, limit=None):
    with closing(open_results(str(output), restart=restart)) as results:
        rows = islice(read_questions(source), limit)
        return answer_rows(assistant or FakeAssistant(), rows, results, partial=limit is not None)


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def test_one_line_per_row_in_order_with_the_published_keys(tmp_path):
    source, output = questions_file(tmp_path), tmp_path / "out.jsonl"
    report = run(source, output)
    rows = lines_of(output)
    assert [list(row) for row in rows] == [KEYS] * 60
    expected = [row.question.id for row in read_questions(source)]
    assert [row["id"] for row in rows] == expected
    assert report.total == 60
    assert report.resumed == 0
    assert report.failed == sum(row["status"] == "error" for row in rows)
    broken = rows[5]
    assert (broken["id"], broken["status"], broken["answer"]) == ("6", "error", "")
    assert broken["error"]["type"] == "BadRow"
    assert "line 6" in broken["error"]["message"]
    assert broken["fingerprint"] == rows[0]["fingerprint"]


def test_bad_rows_do_not_split_generation_batches(tmp_path):
    source = tmp_path / "q.jsonl"
    source.write_text('{"question": "a"}\nx\nx\n{"question": "b"}\nx\n')
    output = tmp_path / "out.jsonl"
    run(source, output)
    statuses = [row["status"] for row in lines_of(output)]
    assert statuses == ["answered", "error", "error", "answered", "error"]


def test_a_line_is_one_line_for_every_reader_and_cannot_steer_a_terminal():
    answer = answer_to("a\u2028b\x85c\x9b31m\u202e\ud800", "1", "f")
    line = json_line(answer)
    assert len(line.splitlines()) == 1
    assert "\x9b" not in line
    assert "\u202e" not in line
    line.encode("utf-8")
    assert json.loads(line)["question"] == "a\u2028b\x85c\x9b31m\u202e\ufffd"


def test_resume_from_every_byte(tmp_path, monkeypatch):
    monkeypatch.setattr("rag.batch.results.os.fsync", lambda _: None)  # a thousand runs, no power cut
    source, output = tmp_path / "q.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"question": "unknown é"}\nbroken\n')
    run(source, output)
    whole = output.read_bytes()
    for length in range(len(whole) + 1):
        output.write_bytes(whole[:length])
        assistant = FakeAssistant()
        report = run(source, output, assistant)
        assert output.read_bytes() == whole
        assert report.resumed == whole[:length].count(b"\n")
        assert report.total == 2


def test_zeros_after_a_power_cut_are_dropped(tmp_path):
    source, output = questions_file(tmp_path, 3), tmp_path / "out.jsonl"
    run(source, output)
    whole = output.read_bytes()
    output.write_bytes(whole[: whole.index(b"\n") + 40] + b"\0" * 50)
    run(source, output)
    assert output.read_bytes() == whole


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_kill_9_at_random_moments_loses_and_doubles_nothing(tmp_path, name):
    source = questions_file(tmp_path)
    clean, output = tmp_path / f"clean-{name}", tmp_path / name
    run(source, clean)
    command = [sys.executable, HERE / "fake_assistant.py", "batch", source, "-o", output]
    environment = {**os.environ, "PYTHONPATH": path_for_children(), "FAKE_DELAY_S": "0.005"}
    journal = output if name == "out.jsonl" else tmp_path / f"{name}.partial.jsonl"
    chance = random.Random(name)
    killed = 0
    for _ in range(6):
        child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        before = journal.stat().st_size if journal.exists() else 0
        wait_until_written(journal, before, child)
        time.sleep(chance.uniform(0, 0.06))
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        if child.returncode != -signal.SIGKILL:
            break
    assert killed >= 2
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert b"from an earlier run" in done.stderr
    assert output.read_bytes() == clean.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, clean.name, output.name])


def wait_until_written(path: Path, before: int, child: subprocess.Popen) -> None:
    """Until the file has grown or the child has ended."""
    while child.poll() is None and not (path.exists() and path.stat().st_size > before):
        time.sleep(0.001)


def path_for_children() -> str:
    return os.pathsep.join([str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")])


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
@pytest.mark.parametrize("moment", ["rag.batch.results.write_export", "os.replace", "pathlib.Path.unlink"])
def test_a_kill_while_exporting(tmp_path, monkeypatch, name, moment):
    source = questions_file(tmp_path, 9)
    clean, output = tmp_path / f"clean-{name}", tmp_path / name
    run(source, clean)

    def die(*_args, **_kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(moment, die)
        with pytest.raises(Killed):
            run(source, output)
    assert output.exists() == (moment == "pathlib.Path.unlink")
    report = run(source, output)
    assert report.resumed == 9
    assert output.read_bytes() == clean.read_bytes()
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_a_finished_run_is_not_answered_again(tmp_path, name):
    source, output = questions_file(tmp_path), tmp_path / name
    first = run(source, output)
    before = output.read_bytes()
    assistant = FakeAssistant()
    again = run(source, output, assistant)
    assert assistant.asked == []
    assert again.statuses == first.statuses
    assert again.resumed == 60
    assert output.read_bytes() == before
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_another_fingerprint_is_refused_until_restart(tmp_path, name):
    source, output = questions_file(tmp_path, 9), tmp_path / name
    run(source, output)
    before = output.read_bytes()
    with pytest.raises(OutputError, match="fingerprint") as caught:
        run(source, output, FakeAssistant(fingerprint="0" * 16))
    assert "--restart" in caught.value.hint
    assert output.read_bytes() == before
    report = run(source, output, FakeAssistant(fingerprint="0" * 16), restart=True)
    assert report.resumed == 0
    assert output.read_bytes() == before.replace(b"f" * 16, b"0" * 16) or name == "out.parquet"


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
@pytest.mark.parametrize("change", ["id", "question", "fewer"])
def test_another_input_is_refused(tmp_path, name, change):
    source, output = questions_file(tmp_path, 9), tmp_path / name
    run(source, output)
    before = output.read_bytes()
    text = source.read_text()
    changed = {
        "id": text.replace('"q3"', '"q33"'),
        "question": text.replace("question 3", "other 3"),
        "fewer": text[: text.rindex("\n", 0, -1) + 1],
    }
    source.write_text(changed[change])
    with pytest.raises(OutputError) as caught:
        run(source, output)
    assert "--restart" in caught.value.hint
    assert output.read_bytes() == before


def test_more_input_rows_are_answered_on_resume(tmp_path):
    source, output = questions_file(tmp_path, 9), tmp_path / "out.jsonl"
    run(source, output)
    with source.open("a") as file:
        file.write('{"question": "one more"}\n')
    assistant = FakeAssistant()
    assert run(source, output, assistant).total == 10
    assert assistant.asked == ["one more"]


def test_more_input_rows_need_a_restart_of_a_finished_export(tmp_path):
    source, output = questions_file(tmp_path, 9), tmp_path / "out.csv"
    run(source, output, limit=4)
    with pytest.raises(OutputError, match="fewer rows"):
        run(source, output)
    assert not list(tmp_path.glob("*.partial*"))
    assert run(source, output, restart=True).total == 9


def test_limit_grows_and_shrinks(tmp_path):
    source, output = questions_file(tmp_path, 20), tmp_path / "out.jsonl"
    assert run(source, output, limit=3).total == 3
    assert run(source, output, limit=8).resumed == 3
    assert run(source, output, limit=2).total == 2
    assert len(lines_of(output)) == 8
    assert run(source, output).total == 20


@pytest.mark.parametrize(
    "content", ["my notes", "my notes\n", '{"a": 1}\n', '{"id": 1}\nnot ours\n', "[1]\n" * 3]
)
def test_a_file_of_someone_else_is_not_touched(tmp_path, content):
    source, output = questions_file(tmp_path, 3), tmp_path / "out.jsonl"
    output.write_text(content)
    with pytest.raises(OutputError, match="not a result of Citewise"):
        run(source, output)
    assert output.read_text() == content


@pytest.mark.parametrize(("name", "content"), [("o.csv", "a,b\n1,2\n"), ("o.parquet", "PAR1")])
def test_a_table_of_someone_else_is_not_touched(tmp_path, name, content):
    source, output = questions_file(tmp_path, 3), tmp_path / name
    output.write_text(content)
    with pytest.raises(OutputError, match="not a result of Citewise"):
        run(source, output)
    assert output.read_text() == content


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_two_runs_never_share_an_output(tmp_path, name):
    output = tmp_path / name
    with (
        closing(open_results(str(output))),
        pytest.raises(OutputError, match="another run is writing"),
    ):
        open_results(str(output))
    open_results(str(output)).close()


def test_an_output_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        open_results(str(tmp_path / "missing" / "out.jsonl"))
    with pytest.raises(OutputError, match="cannot be written"):
        open_results(str(tmp_path / "folder.jsonl" / "out.jsonl"))


def test_a_full_disk_keeps_what_is_written(tmp_path, monkeypatch):
    source, output = questions_file(tmp_path, 9), tmp_path / "out.jsonl"
    run(source, output)
    whole = output.read_bytes()
    output.unlink()
    written = Journal.append
    left = [4]

    def fill(self, answer):
        left[0] -= 1
        if left[0] == 0:
            real = self._file
            self._file = FullDisk(real)
            try:
                written(self, answer)
            finally:
                self._file = real
        written(self, answer)

    monkeypatch.setattr(Journal, "append", fill)
    with pytest.raises(OutputError, match="No space left"):
        run(source, output)
    monkeypatch.undo()
    assert run(source, output).resumed == 3
    assert output.read_bytes() == whole


class FullDisk:
    """Takes ten bytes, then no more."""

    def __init__(self, file) -> None:
        self._file = file
        self._taken = False

    def write(self, data) -> int:
        if self._taken:
            raise OSError(28, "No space left on device")
        self._taken = True
        return self._file.write(bytes(data[:10]))


def test_an_assistant_that_breaks_keeps_what_is_written(tmp_path):
    source, output = questions_file(tmp_path, 20), tmp_path / "out.jsonl"

    class Breaking(FakeAssistant):
        def answer_many(self, questions):
            yield from islice(super().answer_many(questions), 7)
            raise GenerationFailed("out of memory", hint="Use a smaller model.")

    with pytest.raises(CitewiseError, match="out of memory"):
        run(source, output, Breaking())
    assert len(lines_of(output)) >= 7
    assert run(source, output).total == 20


def test_an_assistant_that_answers_too_few_is_noticed(tmp_path):
    class Short(FakeAssistant):
        def answer_many(self, questions):
            return islice(super().answer_many(questions), 3)

    with pytest.raises(GenerationFailed, match="no answer came"):
        run(questions_file(tmp_path, 20), tmp_path / "out.jsonl", Short())


def test_csv_and_parquet_hold_what_jsonl_holds(tmp_path):
    source = questions_file(tmp_path, 12)
    for name in ("o.jsonl", "o.csv", "o.parquet"):
        run(source, tmp_path / name)
    rows = lines_of(tmp_path / "o.jsonl")
    with (tmp_path / "o.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "o.parquet").to_pylist()
    assert [list(row) for row in (cells[0], table[0])] == [KEYS, KEYS]
    for row, cell, typed in zip(rows, cells, table, strict=True):
        for name in KEYS:
            text = cell[name]
            if not isinstance(row[name], str):
                text = json.loads(text) if text else None
            assert text == row[name]
            assert typed[name] == row[name]


PAYLOADS = [
    *["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "   +1", "\u00a0=1"],
    *["\u3000@x", "\ufeff=1", "\u200b=1", "\u200e-1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x"],
    *[
        " \uff1d1",
        '=HYPERLINK("http://x","y")',
        "=cmd|' /C calc'!A0",
        "-2+3",
        "'=1",
        "''=1",
        "\v=1",
    ],
    *["\x1f=1", "=", "- a list item", "@"],
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_csv_cell_begins_a_formula(tmp_path, payload):
    source, output = tmp_path / "q.jsonl", tmp_path / "out.csv"
    source.write_text(json.dumps({"question": payload, "id": payload}) + "\n")
    run(source, output)
    with output.open(newline="", encoding="utf-8") as file:
        cells = list(csv.reader(file))[1]
    visible = [cell.lstrip().lstrip("\ufeff\u200b\u200e\x1f") for cell in cells]
    assert not [cell for cell in visible if cell[:1] and cell[0] in "=+-@\t\r\n\0＝＋－＠"]
    assert unguard(cells[0]) == payload
    assert run(source, output).resumed == 1


@settings(max_examples=300)
@given(st.text(alphabet="'=+-@ \t\r\n\0a＝\ufeff", max_size=6))
def test_a_guard_can_be_taken_away(text):
    assert unguard(guard(text)) == text


@pytest.mark.parametrize(
    ("target", "known"),
    [
        *[("-", True), ("a.jsonl", True), ("a.CSV", True), ("a.parquet", True)],
        *[("/dev/null", True), ("a.xlsx", False), ("a", False), ("a.jsonl.gz", False)],
        (".", False),
    ],
)
def test_known_outputs(target, known):
    assert is_known_output(target) == known


def test_sixty_rows_are_flushed_one_by_one(tmp_path):
    source, output = questions_file(tmp_path), tmp_path / "out.jsonl"
    seen = []
    with closing(open_results(str(output))) as results:
        answer_rows(
            FakeAssistant(),
            read_questions(source),
            results,
            on_row=lambda done: seen.append((done, output.read_bytes().count(b"\n"))),
        )
    assert seen == [(number, number) for number in range(1, 61)]
