"""The written questions as one kind of example, split by abstract: what every training script reads.

Sources, all written for this project over papers that are not in the shipped corpus: abstract_qa (with
its papers), abstract_qa_numeric, abstract_qa_groups. A fifth of the abstracts is held out from every model
trained on answers: for validation, and to fit calibration on scores no model has seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.written import read_lines

Told = tuple[int, int]  # (paper, sentence)


@dataclass(frozen=True, slots=True)
class Abstract:
    """A paper as its sentences."""

    id: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A question over one or several papers; without evidence nothing in them answers it."""

    id: str
    type: str
    question: str
    papers: tuple[Abstract, ...]
    evidence: tuple[Told, ...]
    answer: str | None
    wrong: str | None
    parts: tuple[tuple[str, tuple[Told, ...]], ...] = ()  # sentences of the answer, with their evidence

    @property
    def answerable(self) -> bool:
        """Whether the papers carry an answer."""
        return self.answer is not None


def examples(data: Path) -> Iterator[Example]:
    """All examples of a folder, in file order."""
    known = {row["id"]: _abstract(row) for row in read_lines(data / "abstract_qa_papers.jsonl.gz")}
    for row in read_lines(data / "abstract_qa.jsonl.gz"):
        yield _single(row, known[row["doc"]])
    for row in read_lines(data / "abstract_qa_numeric.jsonl.gz"):
        yield _single(row, _abstract(row["paper"]))
    for row in read_lines(data / "abstract_qa_groups.jsonl.gz"):
        yield Example(
            id=row["id"],
            type=row["type"],
            question=row.get("standalone") or row["question"],
            papers=tuple(_abstract(paper) for paper in row["papers"]),
            evidence=_told(row["evidence"]),
            answer=row["answer"],
            wrong=row["wrong_answer"],
            parts=tuple((part["text"], _told(part["evidence"])) for part in row["answer_sentences"]),
        )


def held_out(data: Path) -> frozenset[str]:
    """Ids of the abstracts no model trained on answers has seen: places 4 modulo 5, and a fifth of others."""
    places = {row["id"]: place for place, row in enumerate(read_lines(data / "abstract_qa_papers.jsonl.gz"))}
    seen = {paper.id for example in examples(data) for paper in example.papers}
    return frozenset(i for i in seen if (places[i] % 5 == 4 if i in places else is_fifth(i)))


def split(data: Path) -> tuple[list[Example], list[Example]]:
    """(training, held out): an example is held out when any of its papers is."""
    held = held_out(data)
    everything = list(examples(data))
    apart = [any(paper.id in held for paper in example.papers) for example in everything]
    return (
        [example for example, out in zip(everything, apart, strict=True) if not out],
        [example for example, out in zip(everything, apart, strict=True) if out],
    )


def is_fifth(name: str) -> bool:
    """A fifth of all names, always the same."""
    return hashlib.sha256(name.encode()).digest()[0] % 5 == 4


def _single(row: dict[str, Any], paper: Abstract) -> Example:
    evidence = tuple((0, place) for place in row["evidence"]) if row["answer"] else ()
    return Example(
        row["id"], row["type"], row["question"], (paper,), evidence, row["answer"], row["wrong_answer"]
    )


def _abstract(row: dict[str, Any]) -> Abstract:
    return Abstract(row["id"], row["title"], tuple(row["sentences"]))


def _told(pairs: list[list[int]]) -> tuple[Told, ...]:
    return tuple((paper, sentence) for paper, sentence in pairs)
