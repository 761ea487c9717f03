"""Answers the rows of a question file into an output, in input order; completes what was begun.

Knows neither file formats nor how an answer is made: it matches rows with what is written already,
asks for the rest and puts bad rows at their places.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from rag.batch.exports import FinishedRow
from rag.batch.questions import QuestionRow
from rag.errors import GenerationFailed, OutputError
from rag.ports import BatchAnswers
from rag.types import Answer, Question

_RESTART = "Use --restart to answer all rows again, or choose another output."


class ResultsWriter(Protocol):
    """An output of a run (`rag.batch.results.open_results`)."""

    def finished(self) -> Iterator[FinishedRow]:
        """The rows an earlier run has written, in order. Walk it to its end before `append`."""
        ...

    def append(self, answer: Answer) -> None:
        """Write one answer so that it outlives the process."""
        ...

    def commit(self) -> None:
        """All rows are written: put the result in its final form."""
        ...


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How many rows have which status, how many were there already, and the seconds spent."""

    statuses: Mapping[str, int]
    resumed: int
    seconds: float

    @property
    def total(self) -> int:
        """Rows in the output."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Rows of status `error`."""
        return self.statuses.get("error", 0)


def answer_rows(
    assistant: BatchAnswers,
    rows: Iterable[QuestionRow],
    results: ResultsWriter,
    *,
    partial: bool = False,
    on_row: Callable[[int], None] = lambda _: None,
) -> BatchReport:
    """Answer every row that `results` does not hold yet; `on_row` is told how many are done.

    `partial`: rows are only the first part of a file, so the output may hold more of them.

    :raises OutputError: if the output cannot be written or belongs to another run.
    :raises CitewiseError: what the assistant raises when it cannot answer at all.
    """
    started = time.monotonic()
    left = iter(rows)
    counts: Counter[str] = Counter()
    for status in _finished(results, left, assistant.fingerprint, partial=partial):
        counts[status] += 1
        on_row(counts.total())
    resumed = counts.total()
    for answer in _answers(assistant, left):
        results.append(answer)
        counts[answer.status] += 1
        on_row(counts.total())
    results.commit()
    return BatchReport(dict(counts), resumed, time.monotonic() - started)


def _finished(
    results: ResultsWriter, rows: Iterator[QuestionRow], fingerprint: str, *, partial: bool
) -> Iterator[str]:
    """Statuses of the rows that are written already; takes as many from `rows`.

    :raises OutputError: if a written row is not the one this run would write.
    """
    for number, done in enumerate(results.finished(), 1):
        row = next(rows, None)
        if row is None:
            if partial:
                return
            raise OutputError(f"the output has more rows than the input ({number})", hint=_RESTART)
        if (done.id, done.question) != (row.question.id, row.question.text):
            raise OutputError(f"row {number} of the output is another question", hint=_RESTART)
        if done.fingerprint != fingerprint:
            raise OutputError(
                f"the output has fingerprint {done.fingerprint}, this run {fingerprint}: settings, "
                "prompts, models or papers have changed",
                hint=_RESTART,
            )
        yield done.status


def _answers(assistant: BatchAnswers, rows: Iterator[QuestionRow]) -> Iterator[Answer]:
    """Answers in row order. Bad rows wait for the answers before them, so batches stay full."""
    asked: deque[QuestionRow] = deque()

    def good() -> Iterator[Question]:
        for row in rows:
            asked.append(row)
            if row.failure is None:
                yield row.question

    answers = assistant.answer_many(good())
    for answer in answers:
        yield from _bad(asked, assistant.fingerprint)
        yield _stamped(answer, asked.popleft().question, assistant.fingerprint)
    yield from _bad(asked, assistant.fingerprint)
    if asked:
        raise GenerationFailed(
            f"no answer came for question {asked[0].question.id!r}", hint="Run the command again."
        )


def _bad(asked: deque[QuestionRow], fingerprint: str) -> Iterator[Answer]:
    """Take the bad rows that stand at the front, as answers of status `error`."""
    while asked and (failure := asked[0].failure) is not None:
        yield Answer.failed(asked.popleft().question, failure, fingerprint)


def _stamped(answer: Answer, question: Question, fingerprint: str) -> Answer:
    """The answer under the id, words and fingerprint by which a resumed run will look for it."""
    return replace(answer, id=question.id, question=question.text, fingerprint=fingerprint)
