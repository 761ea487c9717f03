"""Papers put in a new order by what was read in them, by hand."""

from __future__ import annotations

import math

import pytest

from rag.logistic import LogisticModel
from rag.models.reranker import Reading
from rag.reading import abstract_of, first, paper_features, ranked
from rag.types import Paper, Passage

ONE = Passage(Paper("1", "One", "It is fast. It scales."), 1, 0.9)
TWO = Passage(Paper("2", "Two", "It is robust."), 2, 0.6)
MODEL = LogisticModel(0.0, {"score": 1.0, "best_sentence": 1.0})


def test_features_by_hand() -> None:
    assert paper_features(TWO, 0.9, Reading(0.1, 0.2, (0.3, 0.4))) == {
        "score": 0.6, "gap": pytest.approx(-0.3), "reciprocal_rank": 0.5,
        "about": 0.1, "answers": 0.2, "best_sentence": 0.4,
    }  # fmt: skip


def test_a_paper_without_sentences_has_an_improbable_best_one() -> None:
    assert paper_features(ONE, 0.9, Reading(0, 0, ()))["best_sentence"] == -10.0


def test_the_probability_orders_and_becomes_the_score() -> None:
    found = ranked([ONE, TWO], [Reading(0, 0, (0.0, 0.1)), Reading(0, 0, (1.0,))], MODEL)
    assert [(p.paper.paper_id, p.rank) for p in found.passages] == [("2", 1), ("1", 2)]
    assert [p.score for p in found.passages] == [
        pytest.approx(1 / (1 + math.exp(-1.6))), pytest.approx(1 / (1 + math.exp(-1.0))),
    ]  # fmt: skip
    assert found.readings["2"].carries == (1.0,)


def test_ties_are_broken_by_paper_id() -> None:
    same = [Reading(0, 0, (0.0,)), Reading(0, 0, (0.0,))]
    found = ranked([TWO, ONE], same, LogisticModel(0.0, {"about": 1.0}))
    assert [p.paper.paper_id for p in found.passages] == ["1", "2"]


def test_the_first_few_keep_their_readings() -> None:
    found = first(ranked([ONE, TWO], [Reading(0, 0, (0.0,)), Reading(0, 0, (9.0,))], MODEL), 1)
    assert [p.paper.paper_id for p in found.passages] == list(found.readings) == ["2"]


def test_what_is_read_is_what_is_shown() -> None:
    assert abstract_of(ONE.paper) == ("One", ["It is fast.", "It scales."])
