"""Fits how sure an answer is after writing (`rag/data/final.json`) on answers to the dev questions.

    citewise eval --split dev --set answerable_min=0 --set confident_min=0 -o RUN
    python -m eval.calibrate --run RUN

Five weights on the dev questions of both kinds, measured by five-fold cross-validation over them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from eval import metrics
from eval.questions import Gold, load
from eval.regression import Features, fit, save
from eval.run import read_answers
from rag.types import Answer

FOLDS = 5
BARS = (0.4, 0.5, 0.6, 0.65, 0.7)


def rows_of(golds: Sequence[Gold], answers: Mapping[str, Answer]) -> tuple[list[Features], list[Gold]]:
    """The signals of every answer that was not refused before anything was written."""
    kept = [gold for gold in golds if gold.id in answers and answers[gold.id].trace.signals]
    return [dict(answers[gold.id].trace.signals) for gold in kept], kept


def cross_validated(rows: Sequence[Features], labels: Sequence[bool]) -> np.ndarray:
    """Probabilities, each from a model that has not seen its row."""
    found = np.zeros(len(rows))
    for fold in range(FOLDS):
        seen = [i for i in range(len(rows)) if i % FOLDS != fold]
        model = fit([rows[i] for i in seen], [labels[i] for i in seen])
        for i in range(fold, len(rows), FOLDS):
            found[i] = model.probability(rows[i])
    return found


def report(sure: np.ndarray, golds: Sequence[Gold]) -> dict[str, float]:
    """Calibration, and what each bar would refuse."""
    labels = [gold.answerable for gold in golds]
    found = {"ECE": metrics.expected_calibration_error(list(sure), labels), "questions": len(golds)}
    for bar in BARS:
        refused = sure < bar
        for kind in ("near_unanswerable", "far", "injection"):
            mine = [r for r, g in zip(refused, golds, strict=True) if g.type == kind and not g.answerable]
            found[f"{kind} refused at {bar}"] = float(np.mean(mine)) if mine else float("nan")
        false = [r for r, g in zip(refused, golds, strict=True) if g.answerable]
        found[f"false refusals at {bar}"] = float(np.mean(false))
    return found


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="the folder of a run on the dev questions")
    arguments = parser.parse_args()
    golds = load("dev")
    rows, kept = rows_of(golds, read_answers(arguments.run / "answers-full.jsonl"))
    written = [place for place, row in enumerate(rows) if "declined" in row]
    _calibrate("final", [rows[place] for place in written], [kept[place] for place in written])
    # Where no trained reader is asked: fitted on all, or what is never put to one would look always answered.
    _calibrate("final_undrafted", [{"prior": row["prior"]} for row in rows], kept)


def _calibrate(name: str, rows: Sequence[Features], kept: Sequence[Gold]) -> None:
    labels = [gold.answerable for gold in kept]
    measured = report(cross_validated(rows, labels), kept)
    save(name, fit(rows, labels), measured, by="python -m eval.calibrate")


if __name__ == "__main__":
    main()
