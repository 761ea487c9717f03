"""Batches over HTTP: taken at once, answered one after another in a thread, completed after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal

from rag.batch.questions import count_questions, read_questions
from rag.batch.results import Journal
from rag.batch.run import answer_rows
from rag.errors import CitewiseError, NotFound, NotReady, SettingsError, TryLater
from rag.ports import BatchAnswers
from rag.serve.job_folder import End, Ending, JobFolder, create, existing
from rag.serve.service import Watcher
from rag.storage.lock import ProcessLock
from rag.types import Answer, Failure, Question

Status = Literal["queued", "running", "cancelling"] | Ending
_LOOK_AGAIN_S = 0.2


@dataclass(slots=True)
class Job:
    """One batch: how many questions it has, how many are answered, and how fast."""

    folder: JobFolder
    total: int
    end: End | None = None
    done: int = 0
    resumed: int = 0
    began_s: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.end is not None:
            return self.end.status
        if self.cancelled.is_set():
            return "cancelling"
        return "queued" if self.began_s is None else "running"

    def rate_per_s(self, now_s: float) -> float:
        """Answers a second since it began to run."""
        spent = now_s - self.began_s if self.began_s is not None else 0.0
        return (self.done - self.resumed) / spent if spent > 0 else 0.0


class Jobs:
    """All batches of a server. `assistant` may raise `NotReady`."""

    def __init__(
        self,
        root: Path,
        assistant: Callable[[], BatchAnswers],
        *,
        jobs_max: int,
        watcher: Watcher | None = None,
    ) -> None:
        """:raises SettingsError: if another server holds `root`, or it cannot be written."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock = ProcessLock(root / ".lock", lambda _: _busy(root))
        except OSError as exc:
            reason = f"{root}: batches cannot be kept there: {exc.strerror or exc}"
            raise SettingsError(reason, hint="Choose another folder with --jobs.") from exc
        self._root, self._assistant = root, assistant
        self._jobs_max, self._watcher = jobs_max, watcher
        self._jobs: dict[str, Job] = {}
        self._closing = threading.Event()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="citewise-batch")

    def start(self) -> None:
        """Begin to work, with the batches that an earlier server did not complete."""
        for folder in existing(self._root):
            end = folder.end()
            done = folder.whole_lines().count(b"\n") if end else 0
            self._add(Job(folder, count_questions(folder.questions) or 0, end, done))

    def submit(self, rows: Sequence[Mapping[str, object]]) -> Job:
        """Take a batch.

        :raises NotReady: if there is no assistant yet.
        :raises TryLater: if too many batches wait.
        """
        self._assistant()
        self._make_room()
        return self._add(Job(create(self._root, rows), len(rows)))

    def get(self, name: str) -> Job:
        """The batch of this id.

        :raises NotFound: if there is none.
        """
        found = self._jobs.get(name)
        if found is None:
            raise NotFound("There is no batch of this id.", hint="It may have been removed; send it again.")
        return found

    def all(self) -> list[Job]:
        """Every batch, oldest first."""
        return list(self._jobs.values())

    def cancel(self, name: str) -> Job:
        """Stop a batch, keeping its answers so far; forget one that has ended."""
        job = self.get(name)
        if job.end is not None:
            self._remove(job)
        job.cancelled.set()
        if job.began_s is None:
            self._finish(job, End("cancelled"))
        return job

    def close(self) -> None:
        """Stop after the answers being written; what is left can be completed by the next server."""
        self._closing.set()
        self._worker.shutdown(cancel_futures=True)
        self._lock.close()

    def _add(self, job: Job) -> Job:
        self._jobs[job.folder.path.name] = job
        if job.end is None:
            self._worker.submit(self._run, job)
        return job

    def _remove(self, job: Job) -> None:
        self._jobs.pop(job.folder.path.name, None)
        job.folder.remove()

    def _make_room(self) -> None:
        """Forget the oldest ended batches."""
        while len(self._jobs) >= self._jobs_max:
            ended = next((job for job in self.all() if job.end is not None), None)
            if ended is None:
                hint = "Wait until one is done; CITEWISE_SERVE_JOBS_MAX raises the limit."
                raise TryLater(f"{len(self._jobs)} batches are waiting.", hint=hint, retry_after_s=60)
            self._remove(ended)

    def _run(self, job: Job) -> None:
        if job.end is not None:
            return
        job.began_s, job.resumed = time.monotonic(), job.folder.whole_lines().count(b"\n")
        end = End("failed", Failure("InternalError", "The server failed on it.", "Its log says why."))
        try:
            self._answer(job)
            end = End("cancelled" if job.done < job.total else "done")
        except CitewiseError as exc:
            end = End("failed", Failure(type(exc).__name__, exc.message, exc.hint))
        finally:
            if end.status != "cancelled" or job.cancelled.is_set():  # else only interrupted: to be completed
                self._finish(job, end)

    def _answer(self, job: Job) -> None:
        assistant = self._opened(job)
        if assistant is None:
            return

        def on_row(count: int) -> None:
            job.done = count

        rows = takewhile(lambda _: not self._stops(job), read_questions(job.folder.questions))
        with closing(Journal(job.folder.answers)) as results:
            answer_rows(_Watched(assistant, self._watcher), rows, results, partial=True, on_row=on_row)

    def _stops(self, job: Job) -> bool:
        return job.cancelled.is_set() or self._closing.is_set()

    def _opened(self, job: Job) -> BatchAnswers | None:
        """The assistant once it is there; None when it is not wanted any more."""
        while not self._stops(job):
            try:
                return self._assistant()
            except NotReady:
                time.sleep(_LOOK_AGAIN_S)
        return None

    def _finish(self, job: Job, end: End) -> None:
        job.folder.write_end(end)
        job.end = end


def _busy(root: Path) -> SettingsError:
    return SettingsError(
        f"{root}: another server keeps its batches there.",
        hint="Stop the other server, or choose another folder with --jobs.",
    )


class _Watched:
    """An assistant whose answers are counted as they come."""

    def __init__(self, assistant: BatchAnswers, watcher: Watcher | None) -> None:
        self._assistant, self._watcher = assistant, watcher
        self.fingerprint = assistant.fingerprint

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """As the assistant does."""
        for answer in self._assistant.answer_many(questions):
            if self._watcher:
                self._watcher.answered(answer)
            yield answer
