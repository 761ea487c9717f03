"""The project's own written questions over papers that are not in the shipped corpus, from a folder.

abstract_qa.jsonl.gz holds the questions, abstract_qa_papers.jsonl.gz the papers with their sentences.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.text.terms import words
from rag.types import Paper


@dataclass(frozen=True, slots=True)
class WrittenItem:
    """A written question: the paper it is about, where its evidence stands in it, answers."""

    question: str
    paper: int
    spans: tuple[tuple[int, int], ...]
    answer: str | None
    wrong: str | None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSONL file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:  # type: ignore[operator]
        for line in file:
            yield json.loads(line)


def load(data: Path) -> tuple[list[Paper], list[WrittenItem]]:
    """Papers and items; evidence sentence numbers become character spans."""
    papers, starts = [], []
    for record in read_lines(data / "abstract_qa_papers.jsonl.gz"):
        offsets, cursor = [], 0
        for sentence in record["sentences"]:
            offsets.append((cursor, cursor + len(sentence)))
            cursor += len(sentence) + 1
        papers.append(Paper(record["id"], record["title"], " ".join(record["sentences"])))
        starts.append(offsets)
    places = {paper.paper_id: i for i, paper in enumerate(papers)}
    items = []
    for record in read_lines(data / "abstract_qa.jsonl.gz"):
        paper = places[record["doc"]]
        spans = tuple(starts[paper][i] for i in record["evidence"])
        items.append(WrittenItem(record["question"], paper, spans, record["answer"], record["wrong_answer"]))
    return papers, items


def is_training_place(place: int) -> bool:
    """Papers at places 0, 1, 2 modulo 5 trained the embedder (training/embedder.py)."""
    return place % 5 < 3


def crossed(papers: list[Paper], groups: int) -> Iterator[tuple[str, int]]:
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


def _long_words(paper: Paper) -> set[str]:
    return {word for word in words(paper.abstract) if len(word) > 4 and word.isalpha()}
