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
from rag.ui.state.batch_job import BatchJob, export, load
from rag.ui.state.draft_queue import DraftQueue


def questions(folder: Path, count: int, name: str = "questions.jsonl") -> Path:
    path = folder / name
    rows = [{"question": "France?" if i % 3 == 2 else f"How {i}?"} for i in range(count)]
    path.write_text("\n".join([*map(json.dumps, rows), '{"question": 7}']), encoding="utf-8")
    return path


def ended(job: BatchJob) -> BatchJob:
    until = time.monotonic() + 60
    while job.state == "running" and time.monotonic() < until:
        time.sleep(0.02)
    return job


def test_all_rows_are_answered_in_order_and_bad_ones_keep_their_place(tmp_path):
    job = load(questions(tmp_path, 6), "questions.jsonl")
    job.start(ChatAssistant(), DraftQueue(), tmp_path)
    assert ended(job).state == "done"
    assert [row.status for row in job.answered] == [
        "answered", "answered", "abstained", "answered", "answered", "abstained", "error",
    ]  # fmt: skip
    assert job.counts["answered"] == 4
    rows = list(map(json.loads, export(job, ".jsonl", tmp_path).read_text(encoding="utf-8").splitlines()))
    assert [row["question"] for row in rows[:2]] == ["How 0?", "How 1?"]


def test_a_cancelled_batch_goes_on_where_it_stopped(tmp_path):
    slow = ChatAssistant(token_s=0.01)
    job = load(questions(tmp_path, 30), "questions.jsonl")
    job.start(slow, DraftQueue(), tmp_path)
    while not job.answered:
        time.sleep(0.01)
    job.cancel()
    stopped = len(ended(job).answered)
    assert job.state == "cancelled"
    assert stopped < 31
    assert export(job, ".csv", tmp_path).name == "questions.answers.csv"
    again = load(tmp_path / "questions.jsonl", "questions.jsonl")
    again.start(ChatAssistant(), DraftQueue(), tmp_path)
    assert ended(again).state == "done"
    assert again.resumed == stopped
    assert [row.number for row in again.answered] == list(range(1, 32))
    assert f"{stopped} were there already" in progress_html(again)


def test_people_come_first(tmp_path):
    queue = DraftQueue()
    person = queue.join()
    job = load(questions(tmp_path, 2), "q")
    job.start(ChatAssistant(), queue, tmp_path)
    until = time.monotonic() + 30
    while not job.place and time.monotonic() < until:
        time.sleep(0.02)
    assert "waiting&#58; 1 before this batch" in progress_html(job)
    person.leave()
    assert ended(job).state == "done"


def test_two_runs_of_the_same_file_do_not_write_at_once(tmp_path):
    queue = DraftQueue()
    person = queue.join()
    first, second = (load(questions(tmp_path, 2), "q") for _ in range(2))
    first.start(ChatAssistant(), queue, tmp_path)
    until = time.monotonic() + 30
    while not first.place and time.monotonic() < until:
        time.sleep(0.02)
    second.start(ChatAssistant(), queue, tmp_path)
    assert ended(second).state == "failed"
    assert "another run" in second.failure.message
    person.leave()
    assert ended(first).state == "done"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_answers_are_exported(tmp_path, suffix):
    job = load(questions(tmp_path, 3), "../evil <b>.jsonl")
    assert export(job, suffix, tmp_path) is None
    job.start(ChatAssistant(), DraftQueue(), tmp_path)
    made = export(ended(job), suffix, tmp_path)
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
    job = load(path, "<b>.txt")
    job.start(ChatAssistant(), DraftQueue(), tmp_path)
    ended(job)
    for page in (preview_html(job.name, job.rows), progress_html(job), table_html(job.answered, "all")):
        assert not any(tag in page for tag in ("<script", "<img", "<b>.", "<style"))
        assert "\n" not in page
    assert "No row of this kind" in table_html(job.answered, "abstained")
    assert table_html([], "all") == ""


@pytest.mark.parametrize(("seconds", "words"), [(9.6, "10 s"), (90, "1 min 30 s"), (3661, "1 h 1 min")])
def test_times_are_told_in_words(seconds, words):
    assert clock(seconds) == words
