"""Batches over HTTP: taken, watched, read, cancelled, completed after a restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fake_assistant import FakeAssistant, answer_to
from serving import client, options, wait_until

from rag.batch.results import json_line
from rag.errors import GenerationFailed, NotFound, NotReady, SettingsError, TryLater
from rag.serve.job_folder import End, create, existing
from rag.serve.jobs import Job, Jobs
from rag.types import Answer, Failure, Question

ROWS = [{"question": "a"}, {"id": "mine", "question": "unknown"}, {"question": "fail"}, {"question": "d"}]
# Serves batches of the folder it is given until it is killed; every answer takes a while.
SLOW_SERVER = """
import sys, time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from fake_assistant import FakeAssistant
from rag.serve.jobs import Jobs
assistant = FakeAssistant(delay_s=0.05, batch=1)
jobs = Jobs(Path(sys.argv[1]), lambda: assistant, jobs_max=5)
jobs.start()
jobs.submit([{"question": str(number)} for number in range(40)])
print("taken", flush=True)
time.sleep(60)
"""


class Stepwise(FakeAssistant):
    """Answers one by one, each when it is let go."""

    def __init__(self) -> None:
        super().__init__(batch=1)
        self.left = 0

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        for answer in super().answer_many(questions):
            wait_until(lambda: self.left > 0)
            self.left -= 1
            yield answer


def jobs_over(root: Path, assistant: object = None, jobs_max: int = 5) -> Jobs:
    made = Jobs(root, lambda: assistant or FakeAssistant(), jobs_max=jobs_max)  # type: ignore[arg-type]
    made.start()
    return made


def test_a_batch_over_http() -> None:
    questions = [row if "id" in row else row["question"] for row in ROWS]
    with client() as web:
        taken = web.post("/v1/batch", json={"questions": questions})
        assert taken.status_code == 202
        place = taken.headers["location"]
        wait_until(lambda: web.get(place).json()["status"] == "done")
        told = web.get(place).json()
        assert (told["questions"], told["answered"], told["error"]) == (4, 4, None)
        assert web.get("/v1/batch").json() == {"batches": [told]}
        result = web.get(told["result"])
        assert result.headers["content-type"] == "application/x-ndjson"
        ids = ["1", "mine", "3", "4"]
        expected = [answer_to(r["question"], i, "f" * 16) for r, i in zip(ROWS, ids, strict=True)]
        assert result.text.splitlines() == [json_line(answer) for answer in expected]
        assert 'citewise_answers_total{status="error"} 1.0' in web.get("/metrics").text
        assert web.delete(place).json()["status"] == "done"
        assert web.get(place).status_code == web.get(told["result"]).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"questions": []}, {"questions": [3]}, {"questions": ["x" * 4001]},
        {"questions": ["x"] * 1001}, {"questions": [{"question": "x", "histroy": []}]},
    ],
)  # fmt: skip
def test_a_bad_batch_is_refused_whole(body: dict) -> None:
    with client() as web:
        assert web.post("/v1/batch", json=body).status_code == 422
        assert web.get("/v1/batch").json() == {"batches": []}


def test_progress_and_cancelling(tmp_path: Path) -> None:
    assistant = Stepwise()
    jobs = jobs_over(tmp_path, assistant)
    job, behind = jobs.submit(ROWS), jobs.submit(ROWS)
    assert behind.status == "queued"
    assistant.left = 2
    wait_until(lambda: job.done == 2)
    assert job.status == "running"
    assert 0 < job.rate_per_s(time.monotonic()) < 1000
    assert jobs.cancel(behind.folder.path.name).status == "cancelled"
    assert jobs.cancel(job.folder.path.name).status == "cancelling"
    assistant.left = 100
    wait_until(lambda: job.end is not None)
    assert job.status == "cancelled"
    kept = [json.loads(line)["question"] for line in job.folder.whole_lines().splitlines()]
    assert kept == ["a", "unknown", "fail"][: len(kept)]
    assert len(kept) >= 2
    assert behind.folder.whole_lines() == b""
    jobs.close()


def test_a_broken_assistant_fails_the_batch_and_not_the_next(tmp_path: Path) -> None:
    class Broken(FakeAssistant):
        broken = True

        def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
            if self.broken:
                self.broken = False
                raise GenerationFailed("the generator broke", hint="Ask again.")
            yield from super().answer_many(questions)

    jobs = jobs_over(tmp_path, Broken())
    first, second = jobs.submit(ROWS), jobs.submit(ROWS)
    wait_until(lambda: second.end is not None)
    assert first.end == End("failed", Failure("GenerationFailed", "the generator broke", "Ask again."))
    assert first.folder.end() == first.end
    assert second.status == "done"
    jobs.close()


def test_a_bug_fails_the_batch_and_not_the_next(tmp_path: Path) -> None:
    class Buggy(FakeAssistant):
        def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
            if not self.asked:
                self.asked.append("once")
                raise ZeroDivisionError
            yield from super().answer_many(questions)

    jobs = jobs_over(tmp_path, Buggy())
    first, second = jobs.submit(ROWS), jobs.submit(ROWS)
    wait_until(lambda: second.end is not None)
    assert (first.status, second.status) == ("failed", "done")
    jobs.close()


def test_the_number_of_batches_is_bounded(tmp_path: Path) -> None:
    assistant = Stepwise()
    jobs = jobs_over(tmp_path, assistant, jobs_max=2)
    first, _ = jobs.submit(ROWS), jobs.submit(ROWS)
    with pytest.raises(TryLater):
        jobs.submit(ROWS)
    assistant.left = 4
    wait_until(lambda: first.end is not None)
    third = jobs.submit(ROWS)
    with pytest.raises(NotFound):
        jobs.get(first.folder.path.name)
    assert not first.folder.path.exists()
    assistant.left = 100
    wait_until(lambda: third.end is not None)
    jobs.close()


def test_before_it_is_ready_nothing_is_taken(tmp_path: Path) -> None:
    def not_yet() -> FakeAssistant:
        raise NotReady("loading", hint="Ask again.", retry_after_s=1)

    jobs = Jobs(tmp_path, not_yet, jobs_max=2)
    with pytest.raises(NotReady):
        jobs.submit(ROWS)
    jobs.close()


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    jobs = jobs_over(tmp_path)
    with pytest.raises(SettingsError, match="another server"):
        jobs_over(tmp_path)
    jobs.close()
    jobs_over(tmp_path).close()


def test_what_was_interrupted_is_completed(tmp_path: Path) -> None:
    assistant = Stepwise()
    jobs = jobs_over(tmp_path, assistant)
    job = jobs.submit(ROWS)
    assistant.left = 2
    wait_until(lambda: job.done == 2)
    jobs._closing.set()
    assistant.left = 100
    jobs.close()
    assert job.folder.end() is None
    again = FakeAssistant()
    jobs = jobs_over(tmp_path, again)
    found = jobs.get(job.folder.path.name)
    wait_until(lambda: found.end is not None)
    assert (found.status, found.done, found.total) == ("done", 4, 4)
    assert again.asked == ["d"]
    assert [json.loads(line)["id"] for line in found.folder.whole_lines().splitlines()] == [
        "1",
        "mine",
        "3",
        "4",
    ]
    jobs.close()
    (kept,) = jobs_over(tmp_path).all()
    assert (kept.status, kept.done) == ("done", 4)


def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    here = Path(__file__).parents[1]
    command = [sys.executable, "-c", SLOW_SERVER, str(tmp_path / "jobs"), str(here), str(here.parent)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "taken\n"
    (folder,) = existing(tmp_path / "jobs")
    wait_until(lambda: folder.whole_lines().count(b"\n") >= 3, 30)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    jobs = jobs_over(tmp_path / "jobs")
    job = jobs.get(folder.path.name)
    wait_until(lambda: job.end is not None, 30)
    questions = [json.loads(line)["question"] for line in job.folder.whole_lines().splitlines()]
    assert questions == [str(number) for number in range(40)]
    jobs.close()


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / ".new-20260101000000-0").mkdir()
    made = create(tmp_path, ROWS)
    assert existing(tmp_path) == [made]
    assert (tmp_path / "notes").exists()
    assert not (tmp_path / ".new-20260101000000-0").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"status": "done"}', '{"status": "done", "error": {"a": 1}}']
)
def test_a_torn_ending_is_no_ending(tmp_path: Path, text: str) -> None:
    folder = create(tmp_path, ROWS)
    (folder.path / "end.json").write_text(text)
    assert folder.end() is None


def test_a_torn_answer_is_not_shown(tmp_path: Path) -> None:
    folder = create(tmp_path, ROWS)
    folder.answers.write_bytes(b'{"id": 1}\n{"id')
    assert folder.whole_lines() == b'{"id": 1}\n'


def test_the_rate_counts_this_run_only(tmp_path: Path) -> None:
    job = Job(create(tmp_path, ROWS), 4, done=3, resumed=1, began_s=10.0)
    assert job.rate_per_s(14.0) == 0.5
    assert Job(job.folder, 4).rate_per_s(14.0) == 0.0


def test_too_many_questions_name_the_limit() -> None:
    with client(given=options(batch_questions_max=2)) as web:
        problem = web.post("/v1/batch", json={"questions": ["a", "b", "c"]}).json()
        assert "3 questions; 2 are allowed" in problem["detail"]
        assert "citewise batch" in problem["hint"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="batches cannot be kept there"):
        jobs_over(tmp_path / "file" / "jobs")
