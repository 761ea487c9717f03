"""What the reranker learns from: groups of a question with papers, and what is true of each paper.

Negatives: papers the product's own embedder ranks near; questions a paper's abstract does not answer;
questions of another field.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from eval.public.answerability_sets import clapnq
from rag.models.windows import windows_of
from rag.settings import Settings
from training.batches import batch_of
from training.examples import Abstract, Example, crossed
from training.hard_negatives import nearest, plain_tokens

NEGATIVES = 2
EASY_LEFT_OUT = 0.5  # of the questions in the abstract's own words


@dataclass(frozen=True, slots=True)
class RelevanceLabel:
    """One paper of a group, and what is true of it."""

    paper: Abstract
    about: bool
    answers: bool
    carrying: frozenset[int]


@dataclass(frozen=True, slots=True)
class Group:
    """A question with papers."""

    question: str
    readings: tuple[RelevanceLabel, ...]
    type: str = ""


def groups_of(
    chosen: Sequence[Example], pool: Sequence[Abstract], near: list[list[int]], *, seed: int
) -> list[Group]:
    """Each example with its papers and as many of the nearest others as it needs."""
    rng = random.Random(seed)
    found = []
    for example, places in zip(chosen, near, strict=True):
        own = {paper.id for paper in example.papers}
        others = [pool[p] for p in places if pool[p].id not in own]
        readings = [
            RelevanceLabel(
                paper,
                about=not example.answerable or any(p == n for p, _ in example.evidence),
                answers=example.answerable and any(p == n for p, _ in example.evidence),
                carrying=frozenset(s for p, s in example.evidence if p == n),
            )
            for n, paper in enumerate(example.papers)
        ]
        if example.type == "fact_lexical" and rng.random() < EASY_LEFT_OUT:
            continue
        wanted = NEGATIVES if example.answerable else 1
        extra = rng.sample(others, min(wanted, len(others))) if len(readings) == 1 else []
        readings += [RelevanceLabel(paper, False, False, frozenset()) for paper in extra]
        found.append(Group(example.question, tuple(readings), example.type))
    return found


def foreign(data: Path, pool: Sequence[Abstract], settings: Settings) -> list[Group]:
    """Questions that no paper here is about: of another field, or joining two papers' words."""
    questions = [asked.text for asked in clapnq(data).questions]
    questions += [question for question, _ in crossed(pool, 7)][::16]
    near = nearest(questions, pool, settings)
    return [
        Group(
            question, tuple(RelevanceLabel(pool[p], False, False, frozenset()) for p in places[:1]), "foreign"
        )
        for question, places in zip(questions, near, strict=True)
    ]


class Collator:
    """Groups into one padded batch. A paper too long for one window is read up to its end."""

    def __init__(self, tokenizer: Any, tokens_max: int) -> None:
        self._tokenizer = tokenizer
        self._special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
        self._tokens_max = tokens_max

    def __call__(self, groups: Sequence[dict[str, Group]]) -> dict[str, torch.Tensor]:
        """A batch of all readings of these groups."""
        rows = [(n, g["group"].question, r) for n, g in enumerate(groups) for r in g["group"].readings]
        windows = []
        for _, question, reading in rows:
            tokens = plain_tokens(self._tokenizer, [question, reading.paper.title, *reading.paper.sentences])
            windows.append(
                windows_of(
                    tokens[0], tokens[1], tokens[2:], special=self._special, tokens_max=self._tokens_max
                )[0]
            )
        batch = batch_of(windows)
        carries = torch.zeros(batch["pooling"].shape[:2])
        real = torch.zeros(batch["pooling"].shape[:2], dtype=torch.bool)
        for i, (window, (_, _, reading)) in enumerate(zip(windows, rows, strict=True)):
            for k in range(len(window.spans)):
                real[i, k] = True
                carries[i, k] = float(k in reading.carrying)
        return {
            **batch,
            "carries": carries,
            "real": real,
            "owner": torch.tensor([n for n, _, _ in rows]),
            "about": torch.tensor([r.about for _, _, r in rows]),
            "answers": torch.tensor([float(r.answers) for _, _, r in rows]),
        }
