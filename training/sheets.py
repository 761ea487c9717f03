"""What is learned together: a paper with its lessons. And which papers, where time will not do for all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from training.examples import Abstract
from training.openings import Dialogue, Findings

# How much likelier papers with these are chosen, where time will not do for all.
WANTED = (
    ({"how_why", "two_facts", "absent", "define_or_limit"}, 8.0),
    ({"numeric", "rewrite", "summary"}, 4.0),
    ({"multi_compare", "multi_compare_named", "multi_compare_described", "multi_collect"}, 3.0),
    ({"plain", "oblique_numeric"}, 2.0),
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is asked of a paper and what should be written; `proposed`: an answer to be judged."""

    type: str
    question: str
    answer: str
    proposed: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A paper with all its lessons, or a conversation, or what several papers say."""

    paper: Abstract | Dialogue | Findings
    lessons: tuple[Lesson, ...]


def most_wanted(sheets: Sequence[Sheet], count: int | None) -> list[Sheet]:
    """So many sheets (None: all) in random order, drawn so that those most wanted are likelier among them."""
    rng = random.Random(len(sheets))
    drawn = []
    for place, sheet in enumerate(sheets):
        types = {lesson.type for lesson in sheet.lessons}
        weight = next((w for wanted, w in WANTED if types & wanted), 1.0)
        drawn.append((-(rng.random() ** (1 / weight)), place))
    chosen = [sheets[place] for _, place in sorted(drawn)[:count]]
    rng.shuffle(chosen)
    return chosen
