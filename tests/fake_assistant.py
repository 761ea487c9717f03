"""A deterministic assistant for the tests of the doors: the status follows from the words asked.

Run as a script it is the `citewise` command over this fake; `FAKE_DELAY_S` slows every answer down.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rag.types import (
    Abstention,
    Answer,
    Citation,
    DraftToken,
    Event,
    Failure,
    Finished,
    Paper,
    Passage,
    Question,
    Quote,
    Sentence,
    StageStarted,
    Timings,
    Turn,
)

ABSTRACT = "We train a tagger. It reaches 97.1 accuracy on news."
PAPER = Paper("p1", "Tagging [red]news[/red]", ABSTRACT, 2020, "https://example.org/p1")
QUOTE = Quote("It reaches 97.1 accuracy on news.", 19, 52)


class FakeAssistant:
    """Answers by rule; counts what it was asked and keeps the size of every batch it filled."""

    def __init__(self, *, fingerprint: str = "f" * 16, delay_s: float = 0.0, batch: int = 4) -> None:
        self.fingerprint = fingerprint
        self.papers_count = 1
        self.asked: list[str] = []
        self.histories: list[tuple[Turn, ...]] = []
        self._delay_s = delay_s
        self._batch = batch

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        time.sleep(self._delay_s)
        self.asked.append(question)
        self.histories.append(tuple(history))
        return answer_to(question, question_id, self.fingerprint)

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        yield StageStarted("writing", 0.0)
        yield DraftToken("draft \x1b[31m")
        yield Finished(self.ask(question, history))

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        left = iter(questions)
        while group := list(islice(left, self._batch)):
            for question in group:
                yield self.ask(question.text, question.history, question_id=question.id)

    def search(self, query: str, k: int = 10) -> list[Passage]:
        return [Passage(PAPER, 1, 0.5)][:k]

    def paper(self, paper_id: str) -> Paper | None:
        return PAPER if paper_id == PAPER.paper_id else None

    def papers(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        return [PAPER][:limit] if after < PAPER.paper_id and words in PAPER.title + ABSTRACT else []


def answer_to(question: str, question_id: str | None, fingerprint: str) -> Answer:
    """`unknown` abstains, `quote` quotes, `fail` fails, everything else is answered."""
    common = {
        "question": question,
        "standalone_question": question,
        "id": question_id,
        "fingerprint": fingerprint,
        "timings": Timings(total_s=0.25),
    }
    if "fail" in question:
        failure = Failure("GenerationFailed", "the generator broke", "Ask again.")
        return Answer(status="error", text="", confidence=0.0, error=failure, **common)
    passages = (Passage(PAPER, 1, 0.5),)
    if "unknown" in question or not question.strip():
        abstention = Abstention("no_evidence", "No paper here answers that.", (PAPER.title,))
        return Answer(
            status="abstained",
            text="",
            confidence=0.1,
            abstention=abstention,
            passages=passages,
            **common,
        )
    text = f"Echo: {question} [1]" if "quote" not in question else f"“{QUOTE.text}” [1]"
    return Answer(
        status="quoted" if "quote" in question else "answered",
        text=text,
        confidence=0.87654321,
        sentences=(Sentence(text, (1,), 0.9),),
        citations=(Citation(1, "p1", PAPER.title, (QUOTE,), PAPER.url, PAPER.year),),
        passages=passages,
        **common,
    )


if __name__ == "__main__":
    import rag.cli.main
    import rag.cli.opening

    delay_s = float(os.environ.get("FAKE_DELAY_S", "0"))
    fingerprint = os.environ.get("FAKE_FINGERPRINT", "f" * 16)
    rag.cli.opening.open_assistant = lambda *_: FakeAssistant(delay_s=delay_s, fingerprint=fingerprint)
    rag.cli.main.main()
