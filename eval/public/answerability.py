"""Answerability sets measured: whether the confidence tells what a collection answers from the rest.

The way is the product's own where no reader is asked; nothing is drafted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from eval.measure.measures import Measure, mean_of
from eval.metrics.calibration import brier, expected_calibration_error
from eval.metrics.discrimination import auc, balanced_accuracy, best_threshold
from eval.metrics.retrieval import recall_at_k
from eval.metrics.statistics import clustered_bootstrap
from eval.public.answerability_sets import AnswerabilityCase
from eval.public.results import FailureCase, SetFindings, Table, most, of_interval, plain_figure
from eval.public.subject import SHIPPED
from eval.public.support import DECISION, chooses
from rag.types import PreparedQuestion, Question

CONFIDENCE, PAPER_SCORE = "confidence (shipped)", "baseline: score of the best paper"


class Prepares(Protocol):
    """Brings a question to the decision whether to answer it."""

    def one(self, question: Question) -> PreparedQuestion:
        """The question with what was found and how sure one is."""
        ...


def measure_answerability(
    questions: Sequence[AnswerabilityCase],
    preparation: Prepares,
    *,
    bar: float,
    told: Callable[[int], None],
) -> SetFindings:
    """Tables, causes and worst cases of refusing below `bar`; `told` hears how many questions are done."""
    prepared = []
    for count, asked in enumerate(questions, start=1):
        prepared.append(preparation.one(Question(asked.text, id=asked.id)))
        told(count)
    sure = [item.confidence for item in prepared]
    plain = [item.passages[0].score if item.passages else 0.0 for item in prepared]
    rows = {
        CONFIDENCE: _row(questions, sure, bar),
        PAPER_SCORE: _row(questions, plain, None),
    }
    tables = (Table("Answerable or not", rows), _retrieval(questions, prepared))
    causes, cases = _errors(questions, prepared, bar)
    members = {
        asked.id: float(asked.answerable != refused(item, bar))
        for asked, item in zip(questions, prepared, strict=True)
    }
    return SetFindings(tables, causes, most(cases), DECISION, members)


def _row(
    questions: Sequence[AnswerabilityCase], scores: Sequence[float], bar: float | None
) -> tuple[Measure, ...]:
    """Calibration and refusals are those of a probability with a bar; a baseline has neither."""
    values, labels = np.array(scores, dtype=float), np.array([asked.answerable for asked in questions])
    papers = [asked.paper_id for asked in questions]
    choosing = np.array([chooses(paper) for paper in papers])
    best, rest = best_threshold(values[choosing], labels[choosing]), np.flatnonzero(~choosing)
    figures: dict[str, Callable[[np.ndarray], float]] = {
        "ECE": lambda at: expected_calibration_error(values[at], labels[at]),
        "Brier": lambda at: brier(values[at], labels[at]),
        "false refusals": lambda at: _share(values[at] < bar, labels[at]),
        "refusal recall": lambda at: _share(values[at] < bar, ~labels[at]),
    }
    fair = clustered_bootstrap(
        lambda at: balanced_accuracy(values[rest[at]], labels[rest[at]], best), [papers[n] for n in rest]
    )
    return (
        of_interval("AUC", clustered_bootstrap(lambda at: auc(values[at], labels[at]), papers)),
        *(
            of_interval(name, clustered_bootstrap(of, papers))
            if bar is not None
            else plain_figure(name, float("nan"), 0)
            for name, of in figures.items()
        ),
        plain_figure("best bar", best, int(choosing.sum())),
        of_interval("balanced accuracy at it", fair),
    )


def _share(flags: np.ndarray, among: np.ndarray) -> float:
    return float(flags[among].mean()) if among.any() else float("nan")


def _retrieval(questions: Sequence[AnswerabilityCase], prepared: Sequence[PreparedQuestion]) -> Table:
    """How often the question's own passage is found."""
    row = []
    for depth in (1, 5):
        values = [
            recall_at_k({asked.paper_id: 1.0}, [p.paper.paper_id for p in item.passages], depth)
            for asked, item in zip(questions, prepared, strict=True)
            if asked.answerable
        ]
        row.append(mean_of(f"recall@{depth}", values))
    return Table("Own passage found, answerable questions", {SHIPPED: tuple(row)})


def refused(item: PreparedQuestion, bar: float) -> bool:
    """Whether the product would decline here."""
    return item.abstention is not None or item.confidence < bar


def _errors(
    questions: Sequence[AnswerabilityCase], prepared: Sequence[PreparedQuestion], bar: float
) -> tuple[dict[str, int], list[FailureCase]]:
    """Wrong decisions, counted; as cases the unanswerable questions that would be answered."""
    causes: dict[str, int] = {}
    cases = []
    for asked, item in zip(questions, prepared, strict=True):
        if refused(item, bar) != asked.answerable:
            continue
        found = asked.paper_id in {p.paper.paper_id for p in item.passages}
        cause = "answered although nothing answers it"
        if asked.answerable:
            cause = f"refused although the passage was {'found' if found else 'not even found'}"
        causes[cause] = causes.get(cause, 0) + 1
        if not asked.answerable:
            shown = item.evidence[0].text if item.evidence else ""
            cases.append(FailureCase(asked.id, asked.text, shown, item.confidence, cause))
    return causes, cases
