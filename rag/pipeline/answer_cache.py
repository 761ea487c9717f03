"""Answers given before, so that an exact repeat costs no model: bounded, least recently used out first."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import asdict, replace

from rag.types import Answer, Question, Timings


class AnswerMemory:
    """Up to `capacity` answers by fingerprint, question and history. May be shared by threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def recall(self, fingerprint: str, question: Question) -> Answer | None:
        """The answer given to this question before, under the question's id; its times are zero."""
        with self._lock:
            key = _key(fingerprint, question)
            found = self._answers.get(key)
            if found is None:
                return None
            self._answers.move_to_end(key)
        return replace(found, id=question.id, timings=Timings())

    def keep(self, fingerprint: str, question: Question, answer: Answer) -> None:
        """Remember an answer; what failed is asked again."""
        if answer.status == "error":
            return
        with self._lock:
            self._answers[_key(fingerprint, question)] = answer
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)


def _key(fingerprint: str, question: Question) -> str:
    told = [asdict(turn) for turn in question.history]
    text = json.dumps([fingerprint, question.text, told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
