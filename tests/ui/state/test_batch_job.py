"""A batch on the page: started, cancelled, resumed, exported, shown."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from chat_assistant import HOSTILE, ChatAssistant

from rag.errors import QuestionFileError
from rag.ui.html.batch import clock, preview_html, progress_html, table_html
from rag.ui.state.batch_job import BatchRun, exported, load
from rag.ui.state.draft_queue import DraftQueue


def questions(folder: Path, count: int, name: str = "questions.jsonl") -> Path:
    path = folder / name
    rows = [{"question": "France?" if i % 3 == 2 else f"How {i}?"} for i in range(count)]
    path.write_text("\n".join([*map(json.dumps, rows), '{"question": 7}']), encoding="utf-8")
    return path


def ended(run: BatchRun) -> BatchRun:
    until = time.monotonic() + 60
    while run.state == "running" and time.monotonic() < until:
        time.sleep(0.02)
    return run


def test_all_rows_are_answered_in_order_and_bad_ones_keep_their_place(tmp_path):
    run = load(questions(tmp_path, 6), "questions.jsonl")
    run.start(ChatAssistant(), DraftQueue(), tmp_path)
    assert ended(run).state == "done"
    assert [line.status for line in run.lines] == [
        "answered", "answered", "abstained", "answered", "answered", "abstained", "error",
    ]  # fmt: skip
    assert run.counts["answered"] == 4
    rows = list(map(json.loads, exported(run, ".jsonl", tmp_path).read_text(encoding="utf-8").splitlines()))
    assert [row["question"] for row in rows[:2]] == ["How 0?", "How 1?"]


def test_a_cancelled_batch_goes_on_where_it_stopped(tmp_path):
    slow = ChatAssistant(token_s=0.01)
    run = load(questions(tmp_path, 30), "questions.jsonl")
    run.start(slow, DraftQueue(), tmp_path)
    while not run.lines:
        time.sleep(0.01)
    run.cancel()
    stopped = len(ended(run).lines)
    assert run.state == "cancelled"
    assert stopped < 31
    assert exported(run, ".csv", tmp_path).name == "questions.answers.csv"
    again = load(tmp_path / "questions.jsonl", "questions.jsonl")
    again.start(ChatAssistant(), DraftQueue(), tmp_path)
    assert ended(again).state == "done"
    assert again.resumed == stopped
    assert [line.number for line in again.lines] == list(range(1, 32))
    assert f"{stopped} were there already" in progress_html(again)


def test_people_come_first(tmp_path):
    line = DraftQueue()
    person = line.join()
    run = load(questions(tmp_path, 2), "q")
    run.start(ChatAssistant(), line, tmp_path)
    until = time.monotonic() + 30
    while not run.place and time.monotonic() < until:
        time.sleep(0.02)
    assert "waiting&#58; 1 before this batch" in progress_html(run)
    person.leave()
    assert ended(run).state == "done"


def test_two_runs_of_the_same_file_do_not_write_at_once(tmp_path):
    line = DraftQueue()
    person = line.join()
    first, second = (load(questions(tmp_path, 2), "q") for _ in range(2))
    first.start(ChatAssistant(), line, tmp_path)
    until = time.monotonic() + 30
    while not first.place and time.monotonic() < until:
        time.sleep(0.02)
    second.start(ChatAssistant(), line, tmp_path)
    assert ended(second).state == "failed"
    assert "another run" in second.failure.message
    person.leave()
    assert ended(first).state == "done"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_answers_are_exported(tmp_path, suffix):
    run = load(questions(tmp_path, 3), "../evil <b>.jsonl")
    assert exported(run, suffix, tmp_path) is None
    run.start(ChatAssistant(), DraftQueue(), tmp_path)
    made = exported(ended(run), suffix, tmp_path)
    assert made.name == f"evil--b-.answers{suffix}"
    assert tmp_path in made.parents
    if suffix == ".csv":
        with made.open(encoding="utf-8", newline="") as file:
            assert [row["status"] for row in csv.DictReader(file)][:3] == [
                "answered",
                "answered",
                "abstained",
            ]


def test_files_that_hold_no_questions_say_why(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(QuestionFileError):
        load(path, "x.csv")


def test_a_batch_is_shown_as_text(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text(f"{' '.join(HOSTILE.split())} hostile\n" * 3, encoding="utf-8")
    run = load(path, "<b>.txt")
    run.start(ChatAssistant(), DraftQueue(), tmp_path)
    ended(run)
    for page in (preview_html(run.name, run.rows), progress_html(run), table_html(run.lines, "all")):
        assert not any(tag in page for tag in ("<script", "<img", "<b>.", "<style"))
        assert "\n" not in page
    assert "No row of this kind" in table_html(run.lines, "abstained")
    assert table_html([], "all") == ""


@pytest.mark.parametrize(("seconds", "words"), [(9.6, "10 s"), (90, "1 min 30 s"), (3661, "1 h 1 min")])
def test_times_are_told_in_words(seconds, words):
    assert clock(seconds) == words
