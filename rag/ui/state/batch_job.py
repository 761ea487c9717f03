"""One file of questions being answered in the background: started, watched, cancelled, resumed.

Answers are journaled as they come (`rag.batch.results`), in a folder named by the questions and the
assistant's fingerprint: the same file with the same settings goes on where it was left.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

from rag.batch.exports import FinishedRow, write_export
from rag.batch.questions import QuestionRow, read_questions
from rag.batch.results import open_results
from rag.batch.run import ResultsWriter, answer_rows
from rag.errors import CitewiseError
from rag.ports import BatchAnswers
from rag.types import Answer, Question
from rag.ui.state.draft_queue import DraftQueue

ROWS_MAX = 20_000
_PART = 4  # so many answers are written in one turn, then people come first
_TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One answered row, as the table shows it."""

    number: int
    question: str
    status: str
    confidence: float
    answer: str


class BatchJob:
    """The questions of a file and what has come of them."""

    def __init__(self, name: str, rows: list[QuestionRow]) -> None:
        self.name = name
        self.rows = rows
        self.answered: list[BatchRow] = []
        self.resumed = 0
        self.state = "ready"
        self.failure: CitewiseError | None = None
        self.journal: Path | None = None
        self.place = 0
        self._cancelled = threading.Event()
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def counts(self) -> Counter[str]:
        """How many rows have which status."""
        return Counter(row.status for row in list(self.answered))

    @property
    def seconds(self) -> float:
        """Since it was started, until it ended."""
        return (self._ended or time.monotonic()) - self._began

    def seconds_left(self) -> float | None:
        """At the rate so far; None before there is one."""
        fresh = len(self.answered) - self.resumed
        if fresh <= 0 or self.state != "running":
            return None
        return (len(self.rows) - len(self.answered)) * self.seconds / fresh

    def start(self, assistant: BatchAnswers, queue: DraftQueue, folder: Path) -> None:
        """Answer what is not answered yet, in a thread of its own."""
        self.state, self.failure, self.answered = "running", None, []
        self._cancelled.clear()
        self._began, self._ended = time.monotonic(), None
        self.journal = folder / self._key(assistant.fingerprint) / "answers.jsonl"
        threading.Thread(target=self._run, args=[assistant, queue, self.journal], daemon=True).start()

    def cancel(self) -> None:
        """Stop after the answers being written now; they are kept."""
        self._cancelled.set()

    def _run(self, assistant: BatchAnswers, queue: DraftQueue, journal: Path) -> None:
        state = "failed"
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            self.answered = _rows_in(journal)
            self.resumed = len(self.answered)
            with closing(open_results(str(journal))) as results:
                rows = takewhile(lambda _: not self._cancelled.is_set(), self.rows)
                queued = _QueuedAssistant(assistant, queue, self)
                answer_rows(queued, rows, _WatchedResults(results, self.answered), partial=True)
            state = "done" if len(self.answered) == len(self.rows) else "cancelled"
        except CitewiseError as exc:
            self.failure = exc
        finally:
            self._ended = time.monotonic()
            self.state = state

    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancelled.is_set()

    def _key(self, fingerprint: str) -> str:
        """The same questions, asked in the same way, have the same key."""
        digest = hashlib.sha256(fingerprint.encode())
        for row in self.rows:
            digest.update(repr((row.question, row.failure)).encode("utf-8", "replace"))
        return digest.hexdigest()[:32]


class _QueuedAssistant:
    """The assistant, a few answers at a time, each time in its turn."""

    def __init__(self, assistant: BatchAnswers, queue: DraftQueue, job: BatchJob) -> None:
        self.fingerprint = assistant.fingerprint
        self._assistant, self._queue, self._job = assistant, queue, job

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """One answer per question, in order; ends early when the run is cancelled."""
        waiting = iter(questions)
        while part := list(islice(waiting, _PART)):
            place = self._queue.join(batch=True)
            try:
                while not place.wait(_TICK_S):
                    self._job.place = place.ahead()
                self._job.place = 0
                answers = list(self._assistant.answer_many(part))
            finally:
                place.leave()
            yield from answers


class _WatchedResults:
    """An output that also tells the table."""

    def __init__(self, results: ResultsWriter, rows: list[BatchRow]) -> None:
        self._results, self._rows = results, rows

    def finished(self) -> Iterator[FinishedRow]:
        """See `ResultsWriter.finished`."""
        return self._results.finished()

    def append(self, answer: Answer) -> None:
        """See `ResultsWriter.append`."""
        self._results.append(answer)
        self._rows.append(_row_of(len(self._rows) + 1, answer.to_dict()))

    def commit(self) -> None:
        """See `ResultsWriter.commit`."""
        self._results.commit()


def load(path: Path, name: str) -> BatchJob:
    """The questions of an uploaded file; bad rows are kept with their reasons.

    :raises QuestionFileError: if it is damaged, of another kind, has no questions or too many.
    """
    return BatchJob(name, list(islice(read_questions(path), ROWS_MAX)))


def export(job: BatchJob, suffix: str, folder: Path) -> Path | None:
    """What has been answered so far, as a file; None before there is anything."""
    if job.journal is None or not job.answered:
        return None
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(job.name).stem)[:60] or "questions"
    own = folder / job.journal.parent.name
    own.mkdir(exist_ok=True)
    copy, made = own / "journal.jsonl", own / f"{stem}.answers{suffix}"
    with job.journal.open("rb") as lines:
        copy.write_bytes(b"".join(line for line in lines if line.endswith(b"\n")))
    if suffix == ".jsonl":
        copy.replace(made)
    else:
        write_export(copy, made, suffix)
    return made


def _rows_in(journal: Path) -> list[BatchRow]:
    """The whole rows of a journal; a torn last one is left out, as `Journal.finished` does."""
    if not journal.exists():
        return []
    found = []
    with journal.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                found.append(_row_of(number, json.loads(line)))
            except (ValueError, KeyError, TypeError):
                break
    return found


def _row_of(number: int, row: dict[str, object]) -> BatchRow:
    error = row.get("error")
    said = error["message"] if isinstance(error, dict) else row["answer"]
    confidence = row["confidence"]
    return BatchRow(
        number,
        str(row["question"]),
        str(row["status"]),
        float(confidence) if isinstance(confidence, int | float) else 0.0,
        str(said),
    )
