"""The project's own written questions as one kind of example: what every training script reads.

Over papers that are not in the shipped corpus: abstract_qa (with abstract_qa_papers), abstract_qa_numeric,
abstract_qa_groups, and the later sets, abstract_qa_oblique, _natural and _multi. A fifth of the older sets'
abstracts is held out from every model trained on answers, to fit calibration on scores no model has seen; of
all sets the validation collection is (`eval.written.questions`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.written.questions import is_validation, read_lines, read_written
from rag.text.terms import words
from training.sources import rows

Told = tuple[int, int]  # (paper, sentence)


@dataclass(frozen=True, slots=True)
class Abstract:
    """A paper as its sentences."""

    id: str
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentences as one text, as the product stores it."""
        return " ".join(self.sentences)


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


def abstracts(data: Path) -> list[Abstract]:
    """The papers of abstract_qa, in file order: places in it decide what trains what."""
    return [_abstract(row) for row in read_lines(data / "abstract_qa_papers.jsonl.gz")]


def of_one_paper(data: Path) -> Iterator[Example]:
    """The questions of abstract_qa, over one of `abstracts` each, in file order."""
    known = {paper.id: paper for paper in abstracts(data)}
    for row in read_lines(data / "abstract_qa.jsonl.gz"):
        yield _single(row, known[row["doc"]])


def of_numbers(data: Path) -> Iterator[Example]:
    """Questions for a figure, over one paper each, in file order."""
    for row in read_lines(data / "abstract_qa_numeric.jsonl.gz"):
        yield _single(row, _abstract(row["paper"]))


def of_groups(data: Path) -> Iterator[Example]:
    """Questions over several papers, in file order."""
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


def of_later_papers(data: Path) -> Iterator[Example]:
    """The oblique and the natural questions, over one paper each, in file order."""
    for name in ("abstract_qa_oblique", "abstract_qa_natural"):
        papers = {row["id"]: _abstract(row) for row in rows(data, f"{name}_papers")}
        for row in rows(data, name):
            yield _single(row, papers[row["doc"]])


def of_multi(data: Path) -> Iterator[Example]:
    """Questions over four papers of which one or more tell, in file order."""
    for row in rows(data, "abstract_qa_multi"):
        parts = tuple(
            (part["answer"], tuple((part["paper"], place) for place in part["evidence"]))
            for part in row["parts"]
        )
        if parts:
            yield Example(
                id=row["id"],
                type=row["type"],
                question=row["question"],
                papers=tuple(_abstract(paper) for paper in row["papers"]),
                evidence=tuple(told for _, places in parts for told in places),
                answer=row["summary"],
                wrong=row["wrong_summary"],
                parts=parts,
            )


def examples(data: Path) -> Iterator[Example]:
    """The examples of the older sets, in file order."""
    yield from of_one_paper(data)
    yield from of_numbers(data)
    yield from of_groups(data)


def held_out(data: Path) -> frozenset[str]:
    """Ids of the abstracts no model trained on answers has seen: places 4 modulo 5, and a fifth of others."""
    places = {paper.id: place for place, paper in enumerate(abstracts(data))}
    seen = {paper.id for example in examples(data) for paper in example.papers}
    return frozenset(i for i in seen if (places[i] % 5 == 4 if i in places else is_fifth(i)))


def split(data: Path) -> tuple[list[Example], list[Example]]:
    """(training, held out) of all sets: an example is held out when any of its papers is."""
    units = read_written(data).units
    held = held_out(data).union(paper for paper, unit in units.items() if is_validation(unit))
    everything = [*examples(data), *of_later_papers(data), *of_multi(data)]
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


def crossed(papers: Sequence[Abstract], groups: int) -> Iterator[tuple[str, int]]:
    """Short questions, each with its collection, that join a word it knows with one it does not.

    'What is the capital of France?' shares 'France' with a paper and is still not answered by it.
    """
    templates = ("What is the {} of {}?", "Who invented the {} of {}?", "Which {} has {}?", "{} {} price")
    known = [Counter(w for p in papers[g::groups] for w in _long_words(p)) for g in range(groups)]
    for number, paper in enumerate(papers):
        group = number % groups
        own = sorted(_long_words(paper), key=lambda word: (known[group][word], word))
        foreign = sorted(_long_words(papers[(number + 1) % len(papers)]) - known[group].keys())
        if own and foreign:
            template = templates[number % len(templates)]
            yield template.format(foreign[number % len(foreign)], own[number % min(5, len(own))]), group


def _long_words(paper: Abstract) -> set[str]:
    return {word for word in words(paper.text) if len(word) > 4 and word.isalpha()}
