"""Fits how sure an answer is after writing (`rag/data/final*.json`).

    citewise eval --split dev --set answerable_min=0 --set confident_min=0 -o RUN
    python -m training.calibrate --run RUN --data FOLDER

On two sources, half of the weight each: the answers of RUN to the dev questions, and answers to hundreds of
written questions of FOLDER, put to dealt collections (`training.collections`). The dev questions are few, and
hardly any of them asks for a paper that is not there; the written ones are less oblique. Three of four
questions count as answerable, as in eval/questions. Measured by five-fold cross-validation over both.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval import metrics
from eval.ask.ask import read_answers
from eval.questions.questions import load
from rag.assistant import Assistant
from rag.models.logistic import LogisticModel
from rag.pipeline.assemble import Parts
from rag.settings import Settings
from rag.types import Question
from training.collections import Collections, QuestionCase, questions_of
from training.regression import Features, fit, save

FOLDS = 5
BARS = (0.5, 0.6, 0.65, 0.7, 0.75)
ANSWERABLE = "answerable"
ANSWERABLE_SHARE = 0.75
# How many written questions of each kind are asked; among those that nothing answers the kinds weigh alike.
ASKED = {ANSWERABLE: 420, "near": 220, "absent": 160, "far": 60, "crossed": 60}


@dataclass(frozen=True, slots=True)
class CalibrationCase:
    """The signals behind one answer, and what kind of question it was (`answerable`, or why it is not)."""

    source: str
    kind: str
    signals: Features

    @property
    def answerable(self) -> bool:
        """Whether the collection holds an answer."""
        return self.kind == ANSWERABLE


def of_dev(run: Path) -> Iterator[CalibrationCase]:
    """Every answer of a run that was not refused before anything was written."""
    answers = read_answers(run / "answers-full.jsonl")
    for gold in load("dev"):
        if gold.id in answers and answers[gold.id].trace.signals:
            kind = ANSWERABLE if gold.answerable else gold.type
            yield CalibrationCase("dev", kind, dict(answers[gold.id].trace.signals))


def chosen(puts: Iterable[QuestionCase], seed: int = 1) -> list[QuestionCase]:
    """As many of each kind as `ASKED` says, drawn by chance; fewer where there are not so many."""
    mixed = list(puts)
    random.Random(seed).shuffle(mixed)
    counts: Counter[str] = Counter()
    found = []
    for put in mixed:
        if counts[put.kind] < ASKED[put.kind]:
            counts[put.kind] += 1
            found.append(put)
    return found


def of_written(data: Path) -> Iterator[CalibrationCase]:
    """Answers of the product, refusing nothing, to written questions over papers that no model has seen."""
    settings = Settings.load(answer_cache=0, answerable_min=0, confident_min=0)
    collections = Collections(data, settings)
    puts = chosen(questions_of(data, collections))
    for group in range(collections.groups):
        assistant = Assistant.over(collections.index(group), collections.embedder, settings, Parts())
        mine = [put for put in puts if put.group == group]
        answers = assistant.answer_many(Question(put.question) for put in mine)
        for put, answer in zip(mine, answers, strict=True):
            if answer.trace.signals:
                yield CalibrationCase("written", put.kind, dict(answer.trace.signals))


def weights_of(told: Sequence[CalibrationCase]) -> list[float]:
    """Both sources alike, answerable questions their share of each, other kinds alike within the rest."""
    counts = Counter((one.source, one.kind) for one in told)
    others = Counter(source for source, kind in counts if kind != ANSWERABLE)
    scale = len(told) / len({one.source for one in told})
    return [
        scale
        * (ANSWERABLE_SHARE if one.answerable else (1 - ANSWERABLE_SHARE) / others[one.source])
        / counts[one.source, one.kind]
        for one in told
    ]


def fitted(told: Sequence[CalibrationCase]) -> LogisticModel:
    """The model of these answers."""
    return fit([one.signals for one in told], [one.answerable for one in told], weights_of(told))


def cross_validated(told: Sequence[CalibrationCase]) -> np.ndarray:
    """Probabilities, each from a model that has not seen its answer."""
    found = np.zeros(len(told))
    for fold in range(FOLDS):
        model = fitted([one for place, one in enumerate(told) if place % FOLDS != fold])
        for place in range(fold, len(told), FOLDS):
            found[place] = model.probability(told[place].signals)
    return found


def report(sure: np.ndarray, told: Sequence[CalibrationCase]) -> dict[str, float]:
    """Calibration on dev, and what each bar would refuse of each kind."""
    dev = [place for place, one in enumerate(told) if one.source == "dev"]
    found: dict[str, float] = {
        "ECE, dev": metrics.expected_calibration_error(
            [float(sure[place]) for place in dev], [told[place].answerable for place in dev]
        ),
        "questions": len(told),
    }
    for source, kind in sorted({(one.source, one.kind) for one in told}):
        mine = [s for s, one in zip(sure, told, strict=True) if (one.source, one.kind) == (source, kind)]
        found |= {f"{source} {kind} refused at {bar}": float(np.mean(np.array(mine) < bar)) for bar in BARS}
    return found


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="the folder of a run on the dev questions")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the written questions")
    arguments = parser.parse_args()
    told = [*of_dev(arguments.run), *of_written(arguments.data)]
    _calibrate("final", [one for one in told if "declined" in one.signals])
    # Where no trained reader is asked: fitted on all, or what is never put to one would look always answered.
    before = [CalibrationCase(one.source, one.kind, {"prior": one.signals["prior"]}) for one in told]
    _calibrate("final_undrafted", before)


def _calibrate(name: str, told: Sequence[CalibrationCase]) -> None:
    save(name, fitted(told), report(cross_validated(told), told), by="python -m training.calibrate")


if __name__ == "__main__":
    main()
