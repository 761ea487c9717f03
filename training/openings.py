"""What stands before a question besides an abstract: a conversation, or what several papers say.

Sources: followups and the follow-ups of abstract_qa_groups; the summaries of abstract_qa_multi.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.types import Turn
from training.sources import rows


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said before a question."""

    id: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What several papers say to a question: (title, sentence)."""

    id: str
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question behind a conversation, and as it would be asked alone."""

    opening: Dialogue
    question: str
    standalone: str
    papers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A question to several papers, their findings summed up, rightly and wrongly."""

    opening: Findings
    question: str
    summary: str
    wrong: str
    papers: tuple[str, ...]


def dialogues(data: Path) -> Iterator[FollowUp]:
    """Every written follow-up; one that is left alone stands for itself."""
    for row in rows(data, "followups"):
        yield _followup(row, row["group_papers"])
    for row in rows(data, "abstract_qa_groups"):
        if row["type"] == "followup":
            yield _followup(row, row["papers"])


def _followup(row: dict[str, Any], papers: list[dict[str, Any]]) -> FollowUp:
    turns = tuple(Turn(turn["role"], turn["content"]) for turn in row["history"])
    standalone = row["standalone"] if row.get("changed", True) else row["question"]
    ids = tuple(paper["id"] for paper in papers)
    return FollowUp(Dialogue(row["id"], turns), row["question"], standalone, ids)


def findings(data: Path) -> Iterator[Summary]:
    """Every written summary over two papers or more."""
    for row in rows(data, "abstract_qa_multi"):
        titles = [paper["title"] for paper in row["papers"]]
        told = tuple((titles[part["paper"]], part["answer"]) for part in row["parts"])
        if len({title for title, _ in told}) > 1 and row["summary"]:
            ids = tuple(paper["id"] for paper in row["papers"])
            yield Summary(
                Findings(row["id"], told), row["question"], row["summary"], row["wrong_summary"], ids
            )
