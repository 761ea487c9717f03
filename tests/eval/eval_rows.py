"""Gold questions and answers put together by hand for the tests of eval/metrics."""

from __future__ import annotations

from eval.questions.questions import Gold
from rag.types import Answer, Citation, Evidence, Paper, Passage, Question, Quote, Sentence, Status, Trace

ALPHA = Paper("a", "Alpha", "One is 5%. Two is slow. Three is new.")
BETA = Paper("b", "Beta", "Four is 7%.")
GAMMA = Paper("c", "Gamma", "Five is odd.")


def gold(
    *titles: str, evidence=(), must=(), answer: str | None = None, type: str = "fact", answerable: bool = True
) -> Gold:
    return Gold(
        question=Question("Who?", id="q"),
        type=type,
        split="dev",
        answerable=answerable,
        titles=titles,
        evidence=tuple(evidence),
        must=tuple(must),
        answer=answer,
        standalone=None,
    )


def cite(key: int, paper: Paper, *quotes: str) -> Citation:
    spans = [(paper.abstract.index(quote), quote) for quote in quotes]
    return Citation(key, paper.paper_id, paper.title, tuple(Quote(q, at, at + len(q)) for at, q in spans))


def say(text: str, *keys: int) -> Sentence:
    return Sentence(text, keys, 1.0)


def reply(
    *sentences: Sentence,
    citations=(),
    papers=(),
    shown=(),
    status: Status = "answered",
    text=None,
) -> Answer:
    """An answer; `papers` in order of retrieval, `shown` as (paper, sentence) pairs of evidence."""
    evidence = tuple(
        Evidence(1, paper, paper.abstract.index(part), paper.abstract.index(part) + len(part), 0.5)
        for paper, part in shown
    )
    return Answer(
        question="Who?",
        standalone_question="Who?",
        status=status,
        text=" ".join(s.text for s in sentences) if text is None else text,
        confidence=0.5,
        sentences=sentences,
        citations=tuple(citations),
        passages=tuple(Passage(paper, rank, 1.0 / rank) for rank, paper in enumerate(papers, start=1)),
        trace=Trace(evidence=evidence),
    )


DECLINED = reply(status="abstained", text="No answer was found.")
FAILED = reply(status="error", text="")
