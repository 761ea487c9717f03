"""Fits how sure an answer is after writing (`rag/data/final*.json`): the probability that it is right.

    citewise eval --split dev --set answerable_min=0 --set confident_min=0 -o RUN
    python -m training.calibrate --run RUN --data FOLDER --kept FILE

On two sources, half of the weight each: the answers of RUN to the dev questions, and answers to hundreds of
written questions of FOLDER, put to dealt collections (`training.collections`). Right is what tells the
reference (`eval.metrics`) on the right paper; whatever is answered to a question without an answer is wrong.
Three of four questions count as answerable, as in eval/questions. Measured by five-fold cross-validation.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval import metrics
from eval.ask.ask import read_answers
from eval.metrics.strict import is_right
from eval.questions.questions import Gold, load
from eval.written.measure import WORDS_MAX, shown_words, text_on
from rag.assistant import Assistant
from rag.models.logistic import LogisticModel
from rag.pipeline.assemble import Parts
from rag.settings import Settings
from rag.types import Answer, Question
from training.collections import Collections, QuestionCase, questions_of
from training.regression import Features, fit, save

FOLDS = 5
BARS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
ANSWERABLE = ("answerable", "several")
ANSWERABLE_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class CalibrationCase:
    """The signals behind one answer, whether it is right, and what kind of question it was."""

    source: str
    kind: str
    signals: Features
    right: bool

    @property
    def answerable(self) -> bool:
        """Whether the collection holds an answer."""
        return self.kind in ANSWERABLE


def of_dev(run: Path) -> Iterator[CalibrationCase]:
    """Every answer of a run that was not refused before anything was written, and can be judged."""
    answers = read_answers(run / "answers-full.jsonl")
    for gold in load("dev"):
        if gold.id in answers and answers[gold.id].trace.signals:
            right = is_right_on_dev(gold, answers[gold.id])
            if right is not None:
                kind = ANSWERABLE[0] if gold.answerable else gold.type
                yield CalibrationCase("dev", kind, dict(answers[gold.id].trace.signals), right)


def is_right_on_dev(gold: Gold, answer: Answer) -> bool | None:
    """Whether it tells what it must on a right paper; None where nothing says what it must tell."""
    if not gold.answerable:
        return False
    told = metrics.is_correct(gold, answer)
    return None if told is None else told and metrics.has_right_citation(gold, answer)


def of_written(data: Path, kept: Path) -> Iterator[CalibrationCase]:
    """Answers of the product, refusing nothing, to written questions over papers that no model has seen."""
    settings = Settings.load(answer_cache=0, answerable_min=0, confident_min=0)
    collections = Collections(data, settings, kept)
    puts = list(questions_of(data, collections))
    for group in range(collections.groups):
        assistant = Assistant.over(collections.index(group), collections.embedder, settings, Parts())
        mine = [put for put in puts if put.group == group]
        answers = assistant.answer_many(Question(put.question) for put in mine)
        for put, answer in zip(mine, answers, strict=True):
            if answer.trace.signals:
                right = is_right_on_written(put, answer)
                yield CalibrationCase("written", put.kind, dict(answer.trace.signals), right)


def is_right_on_written(put: QuestionCase, answer: Answer) -> bool:
    """Whether at least half of the parts are told, each on its paper, within 80 words."""
    told = [is_right(text, text_on(answer, paper)) for paper, text in put.told.items()]
    return bool(told) and 2 * sum(told) >= len(told) and shown_words(answer) <= WORDS_MAX


def weights_of(told: Sequence[CalibrationCase]) -> list[float]:
    """Both sources alike, answerable questions their share of each, other kinds alike within the rest."""
    counts = Counter((one.source, _kind(one)) for one in told)
    others = Counter(source for source, kind in counts if kind != ANSWERABLE[0])
    scale = len(told) / len({one.source for one in told})
    return [
        scale
        * (ANSWERABLE_SHARE if one.answerable else (1 - ANSWERABLE_SHARE) / others[one.source])
        / counts[one.source, _kind(one)]
        for one in told
    ]


def _kind(one: CalibrationCase) -> str:
    return ANSWERABLE[0] if one.answerable else one.kind


def fitted(told: Sequence[CalibrationCase]) -> LogisticModel:
    """The model of these answers."""
    return fit([one.signals for one in told], [one.right for one in told], weights_of(told))


def cross_validated(told: Sequence[CalibrationCase]) -> np.ndarray:
    """Probabilities, each from a model that has not seen its answer."""
    found = np.zeros(len(told))
    for fold in range(FOLDS):
        model = fitted([one for place, one in enumerate(told) if place % FOLDS != fold])
        for place in range(fold, len(told), FOLDS):
            found[place] = model.probability(told[place].signals)
    return found


def report(sure: np.ndarray, told: Sequence[CalibrationCase]) -> dict[str, float]:
    """Calibration by source, and what each bar would refuse of each kind, and of right answers."""
    found: dict[str, float] = {"questions": len(told)}
    for source in sorted({one.source for one in told}):
        mine = [place for place, one in enumerate(told) if one.source == source]
        found[f"ECE, {source}"] = metrics.expected_calibration_error(
            [float(sure[place]) for place in mine], [told[place].right for place in mine]
        )
        groups = {kind: [p for p in mine if told[p].kind == kind] for kind in {told[p].kind for p in mine}}
        groups["right"] = [p for p in mine if told[p].right]
        groups["wrong"] = [p for p in mine if told[p].answerable and not told[p].right]
        for kind, places in sorted(groups.items()):
            low = {bar: float(np.mean(sure[places] < bar)) for bar in BARS if places}
            found |= {f"{source} {kind} refused at {bar}": share for bar, share in low.items()}
    return found


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="the folder of a run on the dev questions")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the written questions")
    parser.add_argument("--kept", type=Path, required=True, help="the file where readings are kept")
    arguments = parser.parse_args()
    told = [*of_dev(arguments.run), *of_written(arguments.data, arguments.kept)]
    _calibrate("final", [one for one in told if "telling" in one.signals])
    # Where no reader is asked.
    plain = ("prior", "stood", "support", "missing_names", "first", "several", "rests")
    unread = [
        CalibrationCase(one.source, one.kind, {name: one.signals[name] for name in plain}, one.right)
        for one in told
    ]
    _calibrate("final_unread", unread)


def _calibrate(name: str, told: Sequence[CalibrationCase]) -> None:
    save(name, fitted(told), report(cross_validated(told), told), by="python -m training.calibrate")


if __name__ == "__main__":
    main()
