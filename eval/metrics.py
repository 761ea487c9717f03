"""Metrics on one answer each, by their published names. Pure; zero cases decided in sight."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.questions import Gold
from rag.cleaning import clean
from rag.types import Answer


def recall_at(gold: Gold, answer: Answer, k: int) -> float:
    """Share of the gold papers among the k first passages; 1.0 when there is no gold paper."""
    if not gold.titles:
        return 1.0
    found = {passage.paper.title for passage in answer.passages[:k]}
    return sum(title in found for title in gold.titles) / len(gold.titles)


def evidence_recall(gold: Gold, answer: Answer) -> float:
    """Share of gold evidence spans that overlap a sentence shown to the model; 1.0 without gold."""
    if not gold.evidence:
        return 1.0
    shown = [(e.paper.title, e.text) for e in answer.trace.evidence]
    hits = [any(t == title and (s in text or text in s) for t, s in shown) for title, text in gold.evidence]
    return sum(hits) / len(hits)


def is_refusal(answer: Answer) -> bool:
    """True when the assistant declined."""
    return answer.status in {"abstained", "error"}


def is_correct(gold: Gold, answer: Answer) -> bool:
    """Must-contain: every list of alternatives has one in the text (or, for papers, a cited title)."""
    if is_refusal(answer):
        return False
    titles = " ".join(clean(citation.title) for citation in answer.citations)
    text = _folded(f"{answer.text} {titles}")
    return all(any(_folded(choice) in text for choice in choices) for choices in gold.must)


def has_right_citation(gold: Gold, answer: Answer) -> bool:
    """At least one cited paper is a gold paper."""
    return any(citation.title in gold.titles for citation in answer.citations)


def title_precision(gold: Gold, answer: Answer) -> float | None:
    """Share of the cited papers that are gold; None when nothing is cited."""
    if not answer.citations:
        return None
    return sum(c.title in gold.titles for c in answer.citations) / len(answer.citations)


def mean(values: Sequence[float | bool | None]) -> float:
    """Mean of what is not None; nan when there is nothing."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).casefold()
