"""One asked question as a report shows it: what was found, drafted, dropped and said, and what was gold.

For a question that went wrong, the first stage at which it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eval.measure.measures import is_right
from eval.metrics import is_refusal
from eval.questions.questions import Gold
from rag.types import Answer

_PASSAGES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A sentence with where it stands; `key` 0 where there is none, `gold` when it is the evidence sought."""

    key: int
    title: str
    text: str
    score: float
    gold: bool = False


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A drafted sentence that was not shown, and why."""

    text: str
    reason: str
    support: float


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """A question of a run. `cause` is empty when it went right."""

    id: str
    type: str
    question: str
    read_as: str
    history: tuple[str, ...]
    answerable: bool
    status: str
    right: bool
    cause: str
    confidence: float
    text: str
    kind: str
    draft: str
    dropped: tuple[DroppedRow, ...]
    evidence: tuple[EvidenceRow, ...]
    citations: tuple[EvidenceRow, ...]
    passages: tuple[str, ...]
    gold_titles: tuple[str, ...]
    gold_evidence: tuple[str, ...]
    gold_answer: str
    must: tuple[tuple[str, ...], ...]
    scores: Mapping[str, float]

    @property
    def answers(self) -> bool:
        """Whether it tells something, in the model's own words or in quotes."""
        return self.status in {"answered", "quoted"}


def item_of(gold: Gold, answer: Answer, scores: Mapping[str, float]) -> QuestionResult:
    """Everything a reader needs to judge the verdict."""
    right = is_right(gold, answer)
    return QuestionResult(
        id=gold.id,
        type=gold.type,
        question=gold.question.text,
        read_as=answer.standalone_question if answer.standalone_question != gold.question.text else "",
        history=tuple(f"{turn.role}: {turn.content}" for turn in gold.question.history),
        answerable=gold.answerable,
        status=answer.status,
        right=right,
        cause="" if right else cause_of(gold, answer),
        confidence=answer.confidence,
        text=answer.error.message if answer.error else answer.text,
        kind=answer.trace.kind,
        draft=answer.trace.draft,
        dropped=tuple(DroppedRow(d.text, d.reason, d.support) for d in answer.trace.dropped),
        evidence=tuple(
            EvidenceRow(e.key, e.paper.title, e.text, e.score, _is_gold(gold, e.paper.title, e.text))
            for e in answer.trace.evidence
        ),
        citations=tuple(
            EvidenceRow(c.key, c.title, quote.text, 0.0, _is_gold(gold, c.title, quote.text))
            for c in answer.citations
            for quote in c.quotes
        ),
        passages=tuple(passage.paper.title for passage in answer.passages[:_PASSAGES_SHOWN]),
        gold_titles=gold.titles,
        gold_evidence=tuple(text for _, text in gold.evidence),
        gold_answer=gold.answer or "",
        must=gold.must,
        scores=dict(scores),
    )


def cause_of(gold: Gold, answer: Answer) -> str:
    """The first stage at which a question that went wrong did so."""
    found = {passage.paper.title for passage in answer.passages}
    shown = [(e.paper.title, e.text) for e in answer.trace.evidence]
    quoted = [(c.title, quote.text) for c in answer.citations for quote in c.quotes]
    stages = {
        "failed": answer.status == "error",
        "answered what the papers do not answer": not gold.answerable,
        "paper not found": not found & set(gold.titles),
        "refused although the paper was found": is_refusal(answer),
        "answer-bearing sentence not among the evidence": not any(_is_gold(gold, *one) for one in shown),
        "answer-bearing sentence found, another one cited": not any(_is_gold(gold, *one) for one in quoted),
        "answer-bearing sentence cited, answer incomplete": True,
    }
    return next(stage for stage, went_wrong in stages.items() if went_wrong)


def _is_gold(gold: Gold, title: str, text: str) -> bool:
    """A sentence of the evidence sought: one holds the other."""
    return any(title == known and (text in told or told in text) for known, told in gold.evidence)
