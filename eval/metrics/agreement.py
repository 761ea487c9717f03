"""How far a judge agrees with hand labels: `eval/judge_labels.jsonl`.

The labels were written by hand over abstracts of the shipped corpus: quotes, compressions and paraphrases
that are supported; numbers, units, names, negations, directions and roles exchanged, over-claims,
additions and sentences of other papers that are not. A judge is made on papers of 'dev'; 'test' reports.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics.judges import Judge

LABELS = Path(__file__).parent.parent / "judge_labels.jsonl"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A hand-labelled pair: does the premise support the claim? `kind` says how the claim was made."""

    claim: str
    premise: str
    label: bool
    kind: str
    split: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a judge compares with hand labels; precision and recall are of 'supported'."""

    judge: str
    count: int
    accuracy: float
    kappa: float
    precision: float
    recall: float


def read_labels(split: str | None = None, path: Path = LABELS) -> list[Labelled]:
    """The hand labels, or those of one split: 'dev' was looked at while the judge was made, 'test' not."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Labelled(row["claim"], row["premise"], row["label"], row["kind"], row["split"])
        for row in rows
        if split in {None, row["split"]}
    ]


def agreement(judge: Judge, labelled: Sequence[Labelled]) -> Agreement:
    """Accuracy and Cohen's kappa (Cohen, 1960) of a judge against hand labels.

    kappa = (p_o - p_e) / (1 - p_e), p_o the accuracy, p_e the agreement expected from the two marginals.
    Zero cases: all nan without labels; kappa 1.0 where p_e is 1 (both always say the same thing);
    precision nan when the judge never says yes, recall nan without a supported label.
    """
    verdicts = [judge.supports(row.claim, row.premise) for row in labelled]
    count, both = len(labelled), sum(v and row.label for v, row in zip(verdicts, labelled, strict=True))
    yes, gold = sum(verdicts), sum(row.label for row in labelled)
    if count == 0:
        return Agreement(judge.name, 0, *[float("nan")] * 4)
    observed = sum(v == row.label for v, row in zip(verdicts, labelled, strict=True)) / count
    expected = (yes * gold + (count - yes) * (count - gold)) / count**2
    kappa = (observed - expected) / (1 - expected) if expected < 1 else 1.0
    nan = float("nan")
    return Agreement(
        judge.name, count, observed, kappa, both / yes if yes else nan, both / gold if gold else nan
    )
