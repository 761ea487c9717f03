"""Papers put in a new order by what was read in them, by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from fakes import hits_of

from rag.index.paper_text import read_paper
from rag.models.logistic import LogisticModel
from rag.ports import Abstract
from rag.rerank.cross_encoder import CrossEncoder, abstract_of, is_sure, leads, paper_features, ranked
from rag.types import Paper, Passage, Ranking, Relevance

ONE = Passage(Paper("1", "One", "It is fast. It scales."), 1, 0.9)
TWO = Passage(Paper("2", "Two", "It is robust."), 2, 0.6)
MODEL = LogisticModel(0.0, {"score": 1.0, "best_sentence": 1.0})


def test_features_by_hand() -> None:
    assert paper_features(TWO, -0.3, Relevance(0.1, 0.2, (0.3, 0.4))) == {
        "score": 0.6, "lead": -0.3, "reciprocal_rank": 0.5,
        "about": 0.1, "answers": 0.2, "best_sentence": 0.4,
    }  # fmt: skip


def test_a_paper_without_sentences_has_an_improbable_best_one() -> None:
    assert paper_features(ONE, 0.9, Relevance(0, 0, ()))["best_sentence"] == -10.0


def test_the_probability_orders_and_becomes_the_score() -> None:
    found = ranked([ONE, TWO], [Relevance(0, 0, (0.0, 0.1)), Relevance(0, 0, (1.0,))], MODEL)
    assert [(p.paper.paper_id, p.rank) for p in found.passages] == [("2", 1), ("1", 2)]
    assert [p.score for p in found.passages] == [
        pytest.approx(1 / (1 + math.exp(-1.6))), pytest.approx(1 / (1 + math.exp(-1.0))),
    ]  # fmt: skip
    assert found.relevance["2"].carries == (1.0,)


def test_ties_are_broken_by_paper_id() -> None:
    same = [Relevance(0, 0, (0.0,)), Relevance(0, 0, (0.0,))]
    found = ranked([TWO, ONE], same, LogisticModel(0.0, {"about": 1.0}))
    assert [p.paper.paper_id for p in found.passages] == ["1", "2"]


@pytest.mark.parametrize(("score", "sure"), [(0.94, False), (0.95, True)])
def test_a_probable_first_paper_is_sure(score: float, sure: bool) -> None:
    assert is_sure(Ranking((Passage(ONE.paper, 1, score),), {}), 0.95) is sure


def test_nothing_found_is_not_sure() -> None:
    assert not is_sure(Ranking((), {}), 0.0)


class OneSentence:
    """What begins with 'It is robust' carries 1, any other 0; `seen` keeps the titles of each call."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        self.seen.append([title for title, _ in papers])
        return [Relevance(0, 0, (float(told[0] == "It is robust."),)) for _, told in papers]


def test_the_others_are_read_on_and_all_are_ranked_anew() -> None:
    model = OneSentence()
    stage = CrossEncoder(model, MODEL)
    begun = stage.read("What?", hits_of(ONE, TWO), first=1)  # 1 / (1 + e^-0.9) = .711
    assert ([p.paper.paper_id for p in begun.passages], list(begun.relevance)) == (["1", "2"], ["1"])
    found = stage.read_on("What?", hits_of(ONE, TWO), begun)  # the other: 1 / (1 + e^-1.6) = .832
    assert model.seen == [["One"], ["Two"]]
    assert [p.paper.paper_id for p in found.passages] == ["2", "1"]
    assert {p.paper.paper_id for p in found.read_passages} == {"1", "2"}
    assert found == stage.read("What?", hits_of(ONE, TWO))
    assert stage.read_on("What?", hits_of(ONE, TWO), found) is found


def test_what_was_not_read_stays_behind_and_shares_what_is_left() -> None:
    three = [ONE, TWO, Passage(Paper("3", "Three", "It is old."), 3, 0.5)]
    found = ranked(three, [Relevance(0, 0, (2.0,))], MODEL)
    sure = 1 / (1 + math.exp(-2.9))
    assert [p.rank for p in found.passages] == [1, 2, 3]
    assert [p.score for p in found.passages] == pytest.approx([sure, (1 - sure) / 2, (1 - sure) / 2])
    doubtful = ranked(three, [Relevance(0, 0, (-5.0,))], MODEL)  # .016: the others share no more than that
    assert [p.score for p in doubtful.passages] == pytest.approx([1 / (1 + math.exp(4.1))] * 3)


def test_where_nothing_reads_all_may_be_told() -> None:
    assert Ranking((ONE, TWO), {}).read_passages == (ONE, TWO)


def test_the_lead_is_over_the_best_of_the_others() -> None:
    assert leads([ONE, TWO, Passage(ONE.paper, 3, 0.5)]) == pytest.approx([0.3, -0.3, -0.4])
    assert leads([ONE]) == [0.9]
    assert leads([TWO, TWO]) == [0.0, 0.0]
    assert leads([]) == []


def test_the_first_few_keep_their_relevance() -> None:
    found = ranked([ONE, TWO], [Relevance(0, 0, (0.0,)), Relevance(0, 0, (9.0,))], MODEL).first(1)
    assert [p.paper.paper_id for p in found.passages] == list(found.relevance) == ["2"]


def test_what_is_read_is_what_is_shown() -> None:
    assert abstract_of(read_paper(ONE.paper)) == ("One", ["It is fast.", "It scales."])
