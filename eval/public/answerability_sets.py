"""Answerability sets: short passages as tiny papers, and questions that they do or do not answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from eval.public.rows import PublicRow, read_rows
from rag.types import Paper


@dataclass(frozen=True, slots=True)
class AnswerabilityCase:
    """A question that was written for, or found beside, one of the papers."""

    id: str
    text: str
    answerable: bool
    paper_id: str


@dataclass(frozen=True, slots=True)
class Answerability:
    """All passages as one collection, and the questions."""

    papers: tuple[Paper, ...]
    questions: tuple[AnswerabilityCase, ...]


class _Clapnq(PublicRow):
    qid: str
    question: str
    answerable: bool
    title: str = Field(alias="passage_title")
    passage: str


class _Squad2(PublicRow):
    qid: str
    question: str
    answerable: bool
    title: str
    passage: str


def clapnq(folder: Path) -> Answerability:
    """CLAPnq: questions people typed, each beside a Wikipedia passage that answers it or not."""
    return _set(read_rows(folder / "grounded_qa/clapnq_a.jsonl", _Clapnq))


def squad2(folder: Path) -> Answerability:
    """SQuAD 2.0, a part of its dev set: the unanswerable questions were written to look answerable."""
    return _set(read_rows(folder / "grounded_qa/squad2_a.jsonl.gz", _Squad2))


def _set(rows: Iterable[_Clapnq | _Squad2]) -> Answerability:
    papers: dict[str, Paper] = {}
    questions = []
    for row in rows:
        paper_id = f"p-{hashlib.sha256(row.passage.encode()).hexdigest()[:12]}"
        papers.setdefault(paper_id, Paper(paper_id, row.title, row.passage))
        questions.append(AnswerabilityCase(row.qid, row.question, row.answerable, paper_id))
    return Answerability(tuple(papers.values()), tuple(questions))
