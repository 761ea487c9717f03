"""Papers put in order by what a reader makes of the question behind each: what is asked, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import pytest
from fakes import FakeReader

from rag.index.paper_text import read_paper
from rag.models.logistic import LogisticModel
from rag.rerank.paper_reading import (
    NoSecondLook,
    PaperReading,
    by_readings,
    first_tells,
    most_telling,
    read_papers,
    reading_features,
    telling,
    with_readings,
)
from rag.types import Paper, Passage, Ranking, Relevance

A = Paper("a", "Alpha", "Apples are red. Pears are green.")
B = Paper("b", "Beta", "Beta is fast.")
C = Paper("c", "Gamma", "Gamma is slow.")
D = Paper("d", "Delta", "Delta is late.")
BY_GAP = LogisticModel(0.0, {"logit": 1.0, "gap": 10.0})
BY_TELLING = LogisticModel(0.0, {"telling": 1.0})
QUESTION = "What is fast?"
ALONE = -40.0  # how likely the question is where no paper was read


def reader(**said: tuple[float, float]) -> FakeReader:
    """(Likelihood, log-probability of declining) by title; without a paper `ALONE`, and 1 in 2."""

    def says(text: str) -> Sequence[float]:
        return next((own for title, own in said.items() if f"Title: {title}\n" in text), (ALONE, log(0.5)))

    return FakeReader(says)


def ranking(*scores: float, readings: Sequence[tuple[float, float] | None] = ()) -> Ranking:
    """Alpha, Beta, Gamma, Delta with these scores, and what was read of them before."""
    papers = (A, B, C, D)[: len(scores)]
    passages = tuple(
        Passage(p, rank, score) for rank, (p, score) in enumerate(zip(papers, scores, strict=True), 1)
    )
    known = [*readings, *[None] * (len(papers) - len(readings))]
    relevance = {
        p.paper_id: Relevance(0.0, 0.0, (0.0,), *(own or (None, None)))
        for p, own in zip(papers, known, strict=True)
    }
    return Ranking(passages, relevance, {p.paper_id: read_paper(p) for p in papers})


def order(found: Ranking) -> list[tuple[str, int]]:
    return [(p.paper.paper_id, p.rank) for p in found.passages]


def read_titles(model: FakeReader) -> list[str]:
    return [text.split("\nTitle: ")[1].split("\n")[0] for text in model.asked]


@pytest.mark.parametrize(
    ("declining", "odds"),
    [
        (log(0.5), 0.0),
        (log(0.25), log(3)),  # three in four that it tells: 3 to 1
        (log(0.9), -log(9)),
        (-200.0, 200.0),  # 1 - e^-200 is 1
        (0.0, log(1e-6)),  # certain to decline is as certain as a millionth leaves it
        (1e-9, log(1e-6)),  # rounding may bring a log-probability above nothing
    ],
)
def test_the_odds_of_telling_by_hand(declining: float, odds: float) -> None:
    assert telling(declining) == pytest.approx(odds, abs=1e-6)


def test_what_the_reader_is_asked() -> None:
    model = reader()
    read_papers(QUESTION, [(read_paper(A), 0)], model)
    assert model.proposed == [["Not in this abstract."]]
    with_paper, alone = model.asked
    assert with_paper.endswith(
        "\nTitle: Alpha\nAbstract: Apples are red. Pears are green.\n\nQuestion: What is fast?"
    )
    assert alone.endswith("\nTitle: \nAbstract: \n\nQuestion: What is fast?")


def test_gains_are_over_the_question_alone() -> None:
    model = reader(Alpha=(-30.0, log(0.5)), Beta=(-41.5, log(0.2)))
    found = read_papers(QUESTION, [(read_paper(A), 0), (read_paper(B), 0)], model)
    assert found == [pytest.approx((10.0, 0.0)), pytest.approx((-1.5, log(4)))]


def test_the_place_that_bears_most_is_where_the_best_sentence_begins() -> None:
    text = read_paper(A)
    assert most_telling(text, Relevance(0.0, 0.0, (0.1, 0.4))) == len("Apples are red. ")
    assert most_telling(text, Relevance(0.0, 0.0, (0.4, 0.4))) == 0
    assert most_telling(text, Relevance(0.0, 0.0, ())) == 0


def test_of_a_very_long_abstract_the_part_around_that_place_is_read() -> None:
    long = Paper("a", "Alpha", " ".join(f"Number {n:03} {'is long ' * 40}." for n in range(60)))
    carries = tuple(float(n == 50) for n in range(60))
    passage = Passage(long, 1, 0.5)
    given = Ranking((passage,), {"a": Relevance(0.0, 0.0, carries)}, {"a": read_paper(long)})
    model = reader()
    with_readings(QUESTION, given, [passage], model)
    assert "Number 050" in model.asked[0]
    assert "Number 000" not in model.asked[0]


def test_none_is_read_twice() -> None:
    known = ranking(0.5, 0.4, 0.3, readings=[(7.0, 2.0)])
    model = reader(Beta=(-35.0, log(0.5)))
    found = with_readings(QUESTION, known, known.passages[:2], model)
    assert read_titles(model) == ["Beta", ""]
    assert {key: (own.likelihood, own.telling) for key, own in found.relevance.items()} == {
        "a": (7.0, 2.0),
        "b": (5.0, pytest.approx(0.0)),
        "c": (None, None),
    }
    assert with_readings(QUESTION, found, found.passages[:2], model) is found
    assert len(model.asked) == 2


def test_features_by_hand() -> None:
    own = Relevance(0.0, 0.0, (), likelihood=10.0, telling=-1.0)
    found = reading_features(Passage(A, 1, 0.5), own, 25.0, 2.0)
    assert found == {"logit": 0.0, "gain": 1.0, "gap": -1.5, "telling": -1.0, "telling_gap": -3.0}


def test_the_likelier_paper_comes_first_and_the_unread_stay_behind() -> None:
    # log-odds 0 - 10 * 1.15 = -11.5 for Alpha; Beta, the best of all, keeps its own
    found = by_readings(ranking(0.5, 0.4, 0.3, readings=[(10.0, 0.0), (21.5, 0.0)]), BY_GAP)
    assert order(found) == [("b", 1), ("a", 2), ("c", 3)]
    alpha = 1 / (1 + exp(11.5))
    assert [p.score for p in found.passages] == pytest.approx([0.4, alpha, alpha])


def test_an_unread_paper_keeps_a_score_that_is_low_enough() -> None:
    found = by_readings(ranking(0.5, 0.4, 0.1, readings=[(0.0, 0.0), (0.0, 1.0)]), BY_TELLING)
    assert [p.score for p in found.passages] == pytest.approx([1 / (1 + exp(-1)), 0.5, 0.1])
    assert order(found) == [("b", 1), ("a", 2), ("c", 3)]


def test_nothing_read_changes_nothing() -> None:
    given = ranking(0.5, 0.4)
    assert by_readings(given, BY_GAP) is given


def test_equal_papers_stand_by_id() -> None:
    found = by_readings(ranking(0.5, 0.5, readings=[(3.0, 0.0), (3.0, 0.0)]), BY_GAP)
    assert order(found) == [("a", 1), ("b", 2)]


def test_only_the_first_is_read_where_that_is_asked_for() -> None:
    model = reader(Alpha=(-30.0, log(0.25)))
    found = PaperReading(model, BY_TELLING, 3)(QUESTION, ranking(0.95, 0.4, 0.3, 0.2), only_first=True)
    assert read_titles(model) == ["Alpha", ""]
    assert order(found) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert found.passages[0].score == pytest.approx(0.75)  # log-odds ln 3
    assert found.relevance["b"].telling is None


def test_what_was_read_alone_is_not_read_again_beside_others() -> None:
    model = reader(Alpha=(-30.0, log(0.75)), Beta=(-30.0, log(0.25)), Gamma=(-30.0, log(0.5)))
    look = PaperReading(model, BY_TELLING, 3)
    alone = look(QUESTION, ranking(0.95, 0.4, 0.3, 0.2), only_first=True)
    assert not first_tells(alone)
    found = look(QUESTION, alone, only_first=False)
    assert read_titles(model) == ["Alpha", "", "Beta", "Gamma", ""]
    assert first_tells(found)
    assert order(found) == [("b", 1), ("c", 2), ("a", 3), ("d", 4)]


def test_in_doubt_as_many_are_read_together_as_are_allowed() -> None:
    model = reader(Alpha=(-30.0, log(0.25)), Beta=(-30.0, log(0.2)))
    found = PaperReading(model, BY_TELLING, 2)(QUESTION, ranking(0.5, 0.4, 0.3), only_first=False)
    assert read_titles(model) == ["Alpha", "Beta", ""]
    assert len(model.proposed) == 1
    assert order(found) == [("b", 1), ("a", 2), ("c", 3)]


def test_only_papers_that_the_cross_encoder_read_are_read() -> None:
    given = ranking(0.5, 0.4, 0.3)
    given = Ranking(given.passages, {"b": given.relevance["b"]}, given.texts)
    model = reader()
    found = PaperReading(model, BY_TELLING, 2)(QUESTION, given, only_first=False)
    assert read_titles(model) == ["Beta", ""]
    assert order(found) == [("b", 1), ("a", 2), ("c", 3)]


@pytest.mark.parametrize("only_first", [True, False])
def test_where_there_is_nothing_to_read_nobody_is_asked(only_first: bool) -> None:
    model = reader()
    nothing = Ranking((), {})
    assert PaperReading(model, BY_TELLING, 2)(QUESTION, nothing, only_first=only_first) == nothing
    given = ranking(0.5)
    assert NoSecondLook()(QUESTION, given, only_first=only_first) is given
    assert model.asked == []
