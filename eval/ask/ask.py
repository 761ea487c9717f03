"""Asks the questions and keeps every answer whole, one JSON object a line, as soon as it is there.

A run that was stopped is completed by running it again: an answer is taken from the file when question,
history, fingerprint and the code that answers are the same. Answers are stored with their traces and
papers, so that new measures need no new run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.measure.stamps import code_digest
from eval.questions.questions import Gold
from rag.errors import OutputError
from rag.ports import BatchAnswers
from rag.storage.atomic import write_whole
from rag.types import Answer, Question

Row = tuple[Gold, Answer]
OnRow = Callable[[int, int], None]


def ask(
    assistant: BatchAnswers, golds: Sequence[Gold], path: Path, on_row: OnRow = lambda done, total: None
) -> list[Row]:
    """A row for every question, in order; asks what `path` does not hold yet. Failed ones are asked again.

    :raises OutputError: if `path` cannot be written.
    """
    try:
        done = {key: answer for key, answer in _stored(path) if _reusable(answer, assistant)}
        _rewrite(path, done)
        missing = [gold for gold in golds if key_of(gold.question) not in done]
        on_row(len(golds) - len(missing), len(golds))
        with path.open("a", encoding="utf-8") as file:
            answers = assistant.answer_many(gold.question for gold in missing)
            for count, (gold, answer) in enumerate(zip(missing, answers, strict=True), start=1):
                done[key_of(gold.question)] = answer
                file.write(_line(key_of(gold.question), answer))
                file.flush()
                on_row(len(golds) - len(missing) + count, len(golds))
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror}", hint="Choose another folder with -o.") from exc
    return [(gold, done[key_of(gold.question)]) for gold in golds]


def key_of(question: Question) -> str:
    """What an answer is found by: the id, and a hash of all that was asked and of the code that answers."""
    turns = [[turn.role, turn.content] for turn in question.history]
    asked = json.dumps([question.text, turns, code_digest()])
    return f"{question.id} {hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def read_answers(path: Path) -> dict[str, Answer]:
    """The answers of a run by question id; empty where there are none."""
    return {answer.id or "": answer for _, answer in _stored(path)}


def _reusable(answer: Answer, assistant: BatchAnswers) -> bool:
    return answer.status != "error" and answer.fingerprint == assistant.fingerprint


def _stored(path: Path) -> Iterator[tuple[str, Answer]]:
    """What an earlier run has written; a line torn by its end is left out."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        with suppress(ValidationError, ValueError, KeyError, TypeError):
            record = json.loads(line)
            yield record["key"], _answers().validate_python(record["answer"])


def _rewrite(path: Path, done: dict[str, Answer]) -> None:
    """Only what is still true, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(_line(key, answer) for key, answer in done.items()))


def _line(key: str, answer: Answer) -> str:
    record = {"key": key, "answer": _answers().dump_python(answer, mode="json")}
    return json.dumps(record) + "\n"


@cache
def _answers() -> TypeAdapter[Answer]:
    return TypeAdapter(Answer)
