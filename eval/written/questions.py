"""Every written question with what each paper contributes, and which of them validate.

Sources, read by path, none over the shipped papers: abstract_qa and its oblique, natural and numeric sisters,
groups, multi and followups. A unit (a paper, or related ones) is on one side as a whole. A tenth of the units
is the *validation collection*: no model is trained on it. The questions of half of it are asked to measure;
those of the other half may fit what is fitted on a dozen numbers (`training.logistic`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.readers.source import open_bytes
from rag.types import Paper, Turn

# Questions and papers in two files each; the others carry their papers.
PAIRED = ("abstract_qa", "abstract_qa_oblique", "abstract_qa_natural")


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """What one paper contributes to an answer; `evidence`: the sentences that carry it, where it is known."""

    answer: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question over the papers of a unit. Without parts nothing in them answers it.

    `standalone`: what a follow-up behind `history` would be asked as alone; equal to the question where it is
    to be left alone, empty where it is no follow-up.
    """

    id: str
    source: str
    type: str
    question: str
    unit: str
    papers: tuple[str, ...]  # of the unit
    parts: dict[str, WrittenPart] = field(default_factory=dict)
    answer: str | None = None
    wrong: str | None = None
    summary: str | None = None
    history: tuple[Turn, ...] = ()
    standalone: str = ""

    @property
    def several(self) -> bool:
        """Whether more than one paper answers."""
        return len(self.parts) > 1


@dataclass(frozen=True, slots=True)
class WrittenSets:
    """All papers by id with the sentences they were written over, their units, and all questions."""

    papers: dict[str, Paper]
    sentences: dict[str, tuple[str, ...]]
    units: dict[str, str]
    questions: list[WrittenQuestion]

    def of_units(self, wanted: Iterable[str]) -> list[Paper]:
        """The papers of these units, in file order."""
        kept = set(wanted)
        return [paper for key, paper in self.papers.items() if self.units[key] in kept]


def is_validation(unit: str) -> bool:
    """A tenth of all units, always the same."""
    return hashlib.sha256(unit.encode()).digest()[0] % 10 == 9


def is_measured(unit: str) -> bool:
    """Half of those that validate: their questions are asked to measure, and fit nothing."""
    return is_validation(unit) and hashlib.sha256(unit.encode()).digest()[1] % 2 == 0


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSONL file, gzipped or not.

    :raises ReadError: if it is missing or damaged.
    """
    with open_bytes(path) as file:
        for line in file:
            yield json.loads(line)


def read_written(data: Path) -> WrittenSets:
    """Everything in a folder, in file order.

    :raises ReadError: if a file is missing or damaged.
    """
    found = WrittenSets({}, {}, {}, [])
    for name in PAIRED:
        for row in read_lines(data / f"{name}_papers.jsonl.gz"):
            _know(found, row, row["id"])
        found.questions.extend(
            _single(found, row, row["doc"], name) for row in read_lines(data / f"{name}.jsonl.gz")
        )
    for row in read_lines(data / "abstract_qa_numeric.jsonl.gz"):
        _know(found, row["paper"], row["paper"]["id"])
        found.questions.append(_single(found, row, row["paper"]["id"], "abstract_qa_numeric"))
    for name, read in (("groups", _group), ("multi", _multi)):
        for row in read_lines(data / f"abstract_qa_{name}.jsonl.gz"):
            found.questions.append(read(found, row))
    found.questions.extend(_followup(found, row) for row in read_lines(data / "followups.jsonl.gz"))
    return found


def _know(found: WrittenSets, row: dict[str, Any], unit: str) -> None:
    if row["id"] not in found.papers:
        found.papers[row["id"]] = Paper(row["id"], row["title"], " ".join(row["sentences"]))
        found.sentences[row["id"]] = tuple(row["sentences"])
        found.units[row["id"]] = unit


def _single(found: WrittenSets, row: dict[str, Any], paper: str, source: str) -> WrittenQuestion:
    parts = {}
    if row["answer"]:
        told = tuple(found.sentences[paper][place] for place in row["evidence"])
        parts[paper] = WrittenPart(row["answer"], told)
    unit = found.units[paper]
    return WrittenQuestion(
        id=row["id"],
        source=source,
        type=row["type"],
        question=row["question"],
        unit=unit,
        papers=(paper,),
        parts=parts,
        answer=row["answer"],
        wrong=row["wrong_answer"],
    )


def _grouped(found: WrittenSets, papers: list[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """The unit of a group, whose papers become known: that of its first paper where it was known before."""
    first = papers[0]["id"]
    unit = found.units.get(first, first)
    for paper in papers:
        _know(found, paper, unit)
    return unit, tuple(paper["id"] for paper in papers)


def _group(found: WrittenSets, row: dict[str, Any]) -> WrittenQuestion:
    unit, papers = _grouped(found, row["papers"])
    told: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for part in row["answer_sentences"]:
        for number in sorted({number for number, _ in part["evidence"]}):
            told.setdefault(papers[number], []).append(part["text"])
    for number, place in row["evidence"]:
        shown.setdefault(papers[number], []).append(found.sentences[papers[number]][place])
    parts = {key: WrittenPart(" ".join(texts), tuple(shown.get(key, ()))) for key, texts in told.items()}
    return WrittenQuestion(
        id=row["id"],
        source="abstract_qa_groups",
        type=row["type"],
        question=row["question"],
        unit=unit,
        papers=papers,
        parts=parts,
        answer=row["answer"],
        wrong=row["wrong_answer"],
        history=_turns(row.get("history")),
        standalone=row.get("standalone") or "",
    )


def _multi(found: WrittenSets, row: dict[str, Any]) -> WrittenQuestion:
    unit, papers = _grouped(found, row["papers"])
    parts = {
        papers[part["paper"]]: WrittenPart(
            part["answer"], tuple(found.sentences[papers[part["paper"]]][place] for place in part["evidence"])
        )
        for part in row["parts"]
    }
    return WrittenQuestion(
        id=row["id"],
        source="abstract_qa_multi",
        type=row["type"],
        question=row["question"],
        unit=unit,
        papers=papers,
        parts=parts,
        answer=row["summary"],
        wrong=row["wrong_summary"],
        summary=row["summary"],
    )


def _followup(found: WrittenSets, row: dict[str, Any]) -> WrittenQuestion:
    unit, papers = _grouped(found, row["group_papers"])
    answer = row["answer"]
    parts = {papers[number]: WrittenPart(answer) for number in row["papers"]} if answer else {}
    return WrittenQuestion(
        id=row["id"],
        source="followups",
        type=row["kind"],
        question=row["question"],
        unit=unit,
        papers=papers,
        parts=parts,
        answer=answer,
        history=_turns(row["history"]),
        standalone=row["standalone"] if row["changed"] else row["question"],
    )


def _turns(rows: list[dict[str, str]] | None) -> tuple[Turn, ...]:
    return tuple(Turn("user" if row["role"] == "user" else "assistant", row["content"]) for row in rows or ())


def measured(sets: WrittenSets) -> Iterator[WrittenQuestion]:
    """The questions that are asked to measure."""
    return (question for question in sets.questions if is_measured(question.unit))
