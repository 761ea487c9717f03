"""Questions put to dealt collections: readings that are kept, what would have been read, and claims."""

from __future__ import annotations

import random
from math import log
from pathlib import Path

import pytest
from fakes import FakeReader, texts_of

from eval.written.questions import WrittenPart, WrittenQuestion
from rag.models import openings
from rag.models.logistic import LogisticModel
from rag.settings import Settings
from rag.types import Paper, Passage, Ranking, Relevance, Turn
from training.collections import QuestionCase, RememberedReader, RetrievedCase, _in_turn, case_of, in_turn
from training.ranking_fits import RankingWeights, as_read, read_of
from training.support_fits import _claim

PAPERS = [
    Paper(name.lower(), name, f"{name} is fast. {name} has 3 layers.") for name in ("Alpha", "Beta", "Eta")
]
PASSAGES = [Passage(paper, rank, 1.0 / rank) for rank, paper in enumerate(PAPERS, start=1)]
BY_ANSWER = LogisticModel(0.0, {"answers": 1.0})


def asking(*questions: str) -> list[list[object]]:
    return [openings.conversation(openings.of_paper("T", "A"), openings.asked(q)) for q in questions]


def test_a_reading_is_kept_in_a_file_and_not_made_again(tmp_path: Path) -> None:
    model = FakeReader(lambda text: (-float(len(text)), -0.5))
    file = tmp_path / "kept.jsonl"
    first = RememberedReader(model, "one", file).readings(asking("a", "bb"), ["Not"])
    again = RememberedReader(model, "one", file)
    assert again.readings(asking("bb", "a"), ["Not"]) == first[::-1]
    assert len(model.asked) == 2
    assert again.readings(asking("a", "ccc"), ["Not"])[0] == first[0]
    assert len(model.asked) == 3  # of what was asked before nothing
    again.readings(asking("a"), ["Yes"])
    RememberedReader(model, "two", file).readings(asking("a"), ["Not"])
    assert len(model.asked) == 5  # another word, another model
    assert len(file.read_text().splitlines()) == 5


def case(question: str, *answers: float, telling: tuple[float | None, ...] = ()) -> RetrievedCase:
    """Three papers with these log-odds of answering, and what a reader said of them."""
    told = [*telling, *[None] * (len(answers) - len(telling))]
    relevance = [
        Relevance(0.0, own, (0.0, 1.0), None if tells is None else 9.0, tells)
        for own, tells in zip(answers, told, strict=True)
    ]
    return RetrievedCase(
        QuestionCase(question, 0, "answerable"), PASSAGES, relevance, {}, texts_of(*PAPERS), lambda term: 1.0
    )


KNOWN = Settings.load(rerank_first_k=1, sure_min=0.9, read_top_k=2)


@pytest.mark.parametrize(
    ("question", "answers", "read", "sure"),
    [
        ("What is fast?", (3.0, 4.0, 0.0), ["alpha"], True),  # 1 / (1 + e^-3) = .953: no other is read
        ("What is fast?", (0.0, 4.0, 1.0), ["beta", "eta", "alpha"], False),  # .982, but found behind
        ("What is fast?", (0.0, 2.0, 1.0), ["beta", "eta", "alpha"], False),  # .881
        ("Is GPT-4 fast?", (3.0, 4.0, 0.0), ["beta", "alpha", "eta"], False),  # it lacks the name
    ],
)
def test_what_the_product_would_have_read(
    question: str, answers: tuple[float, ...], read: list[str], sure: bool
) -> None:
    found, certain = in_turn(case(question, *answers), BY_ANSWER, KNOWN)
    assert [p.paper.paper_id for p in found.passages if p.paper.paper_id in found.relevance] == read
    assert certain is sure


def test_a_paper_that_was_not_found_well_ahead_is_read_beside_others() -> None:
    narrow = KNOWN.model_copy(update={"lead_min": 2.0})
    found, certain = in_turn(case("What is fast?", 3.0, 4.0, 0.0), BY_ANSWER, narrow)
    assert len(found.relevance) == 3
    assert not certain


@pytest.mark.parametrize(
    ("telling", "sure", "kept"),
    [
        ((1.0, 1.0, 1.0), True, ["alpha"]),
        ((-1.0, 1.0, 1.0), True, ["alpha", "beta"]),  # it declines: two are read
        ((1.0, 1.0, 1.0), False, ["alpha", "beta"]),
    ],
)
def test_readings_that_the_product_would_not_have_made_are_taken_away(
    telling: tuple[float, ...], sure: bool, kept: list[str]
) -> None:
    own = case("What?", 0.0, 0.0, 0.0, telling=telling).relevance
    ranking = Ranking(
        tuple(PASSAGES), {p.paper_id: one for p, one in zip(PAPERS, own, strict=True)}, texts_of(*PAPERS)
    )
    found = as_read(ranking, KNOWN, sure=sure)
    assert [key for key, one in found.relevance.items() if one.telling is not None] == kept
    assert [one.likelihood is None for one in found.relevance.values()] == [
        p.paper_id not in kept for p in PAPERS
    ]


def test_the_order_is_that_of_the_weights_there_are() -> None:
    one = case("What is fast?", 0.0, 2.0, 1.0, telling=(log(9), -1.0, 0.0))
    by_telling = LogisticModel(0.0, {"telling": 1.0})

    def order(weights: RankingWeights | None) -> list[str]:
        return [p.paper.paper_id for p in read_of(one, weights).passages]

    assert order(None) == ["alpha", "beta", "eta"]  # as retrieved
    assert order(RankingWeights(BY_ANSWER, KNOWN)) == ["beta", "eta", "alpha"]
    # of the first two Eta tells rather than Beta; Alpha is not read
    assert order(RankingWeights(BY_ANSWER, KNOWN, by_telling)) == ["eta", "beta", "alpha"]


def written(name: str, type: str, **other: object) -> WrittenQuestion:
    parts = {"alpha": WrittenPart("It is fast.", ("Alpha is fast.",))}
    return WrittenQuestion(name, "abstract_qa", type, f"{name}?", "u", ("alpha",), parts, **other)  # type: ignore[arg-type]


def test_a_follow_up_is_put_as_it_stands_alone() -> None:
    found = case_of(written("it", "pronoun", history=(Turn("user", "?"),), standalone="Is Alpha?"), 3, "near")
    assert found == QuestionCase(
        "Is Alpha?", 3, "near", "pronoun", {"alpha": ("Alpha is fast.",)}, {"alpha": "It is fast."}
    )
    assert case_of(written("it", "plain"), 0, "answerable").question == "it?"


def test_types_take_turns() -> None:
    types = {"b": [written(f"b{n}", "b") for n in range(3)], "a": [written("a0", "a")]}
    found = [one.type for one in _in_turn(types, random.Random(1))]
    assert found == ["a", "b", "b", "b"]
    assert list(_in_turn({}, random.Random(1))) == []


def test_a_claim_stands_beside_the_sentences_that_carry_it() -> None:
    found = _claim("Alpha has 3 layers.", PAPERS[0], "u", supported=True)
    assert (found.evidence, found.supported, found.unit) == ("Alpha\nAlpha has 3 layers.", True, "u")
