"""The three kinds of measurement, on rankings, supports and confidences written by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from eval.public.answerability import CONFIDENCE, PAPER_SCORE, measure_answerability
from eval.public.answerability_sets import AnswerabilityCase
from eval.public.ranking import cause_of, measure_rankings
from eval.public.retrieval_sets import Query, RetrievalSet
from eval.public.subject import CONTAINMENT, COSINE, SHIPPED
from eval.public.support import CHECKS, VERIFIER, VETOED, chooses, measure_support
from eval.public.verification_sets import ClaimPair
from rag.types import Abstention, Paper, Passage

PAPERS = tuple(Paper(name, name.upper(), "text") for name in "abcd")


def figures(found, table, system):
    return {measure.name: measure.value for measure in found.tables[table].rows[system]}


def test_rankings_by_hand():
    queries = (Query("1", "one", {"a": 1.0}), Query("2", "two", {"b": 2.0, "c": 1.0}))
    shipped = {"one": ["b", "a"], "two": ["b", "a", "c"]}
    plain = {"one": ["a"], "two": ["d"]}
    heard = []
    found = measure_rankings(
        RetrievalSet(PAPERS, queries),
        {"plain": plain.__getitem__, SHIPPED: shipped.__getitem__},
        lambda name, done: heard.append((name, done)),
    )
    own = figures(found, 0, SHIPPED)
    # one: a at rank 2, 1/log2(3); two: (2 + 1/log2(4)) / (2 + 1/log2(3))
    first, second = 1 / math.log2(3), 2.5 / (2 + 1 / math.log2(3))
    assert own["nDCG@10"] == pytest.approx((first + second) / 2)
    assert own["MRR@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert (own["recall@1"], own["recall@5"]) == (0.25, 1.0)
    assert own["nDCG@10 over shipped"] == 0.0
    # plain: 1 and 0, so its gaps are 1 - first and -second
    assert figures(found, 0, "plain")["nDCG@10 over shipped"] == pytest.approx((1 - first - second) / 2)
    assert found.members == pytest.approx({"1": first, "2": second})
    assert found.causes == {"first relevant paper at 2 to 5": 1}
    assert [(case.id, case.came) for case in found.worst] == [("1", "first: B; wanted: A")]
    assert heard == [("plain", 1), ("plain", 2), (SHIPPED, 1), (SHIPPED, 2)]


@pytest.mark.parametrize(
    ("place", "cause"),
    [
        (1, ""),
        (2, "first relevant paper at 2 to 5"),
        (5, "first relevant paper at 2 to 5"),
        (6, "first relevant paper at 6 to 10"),
        (11, "first relevant paper below ten"),
        (99, "no relevant paper among those ranked"),
    ],
)
def test_the_cause_is_where_the_first_relevant_paper_stands(place, cause):
    ranked = [f"p{n}" for n in range(1, 21)]
    assert cause_of({f"p{place}"}, ranked) == cause


class Supports:
    """Support by claim."""

    def __init__(self, known):
        self.known = known

    def support(self, claims):
        return [self.known[claim] for claim, _ in claims]


def pairs():
    evidence = "Mixer reaches 5 points."
    claims = {
        "Mixer reaches 5 points.": "SUPPORT",
        "The mixer gets 5.": "SUPPORT",
        "Mixer reaches 7 points.": "CONTRADICT",
        "Mixer sings.": "NOT_ENOUGH_INFO",
    }
    return [
        ClaimPair(f"p{n}", claim, evidence, label, label == "SUPPORT")
        for n, (claim, label) in enumerate(claims.items(), start=1)
    ]


def measured(support=(0.9, 0.4, 0.8, 0.7)):
    known = {pair.claim: value for pair, value in zip(pairs(), support, strict=True)}
    heard = []
    found = measure_support(
        pairs(),
        Supports(known),
        {COSINE: lambda claims: [0.5 for _ in claims], CONTAINMENT: lambda claims: [0.1 for _ in claims]},
        support_min=0.7,
        told=heard.append,
    )
    assert heard == [4]
    return found


def test_support_by_hand():
    found = measured()
    own = figures(found, 0, VERIFIER)
    # supported .9 .4 against .8 .7: two of four pairs in order; at .7 one of two and none of two
    assert own["AUC"] == 0.5
    assert (own["recall"], own["precision"]) == (0.5, pytest.approx(1 / 3))
    assert own["balanced accuracy"] == 0.25
    # the number 7 is vetoed: .9 .4 against 0 .7: three of four
    vetoed = figures(found, 0, VETOED)
    assert vetoed["AUC"] == 0.75
    assert (vetoed["recall"], vetoed["precision"], vetoed["balanced accuracy"]) == (0.5, 0.5, 0.5)
    assert figures(found, 0, COSINE)["AUC"] == 0.5


def test_baselines_have_no_shipped_bar_and_labels_are_told_apart():
    found = measured()
    assert figures(found, 0, CONTAINMENT)["precision"] is None
    assert set(found.tables[1].rows) == {VETOED, VERIFIER, CHECKS}
    assert figures(found, 1, VERIFIER) == {"CONTRADICT": 1.0, "NOT_ENOUGH_INFO": 1.0, "SUPPORT": 0.5}
    assert figures(found, 1, VETOED) == {"CONTRADICT": 0.0, "NOT_ENOUGH_INFO": 1.0, "SUPPORT": 0.5}
    assert figures(found, 1, CHECKS) == {"CONTRADICT": 0.0, "NOT_ENOUGH_INFO": 1.0, "SUPPORT": 1.0}


def test_wrong_decisions_have_causes_and_those_let_by_are_shown():
    found = measured()
    assert found.causes == {"dropped: support below the bar": 1, "let by: NOT_ENOUGH_INFO": 1}
    assert [(case.id, case.score) for case in found.worst] == [("p4", 0.7)]
    assert found.members == {"p1": 1.0, "p2": 0.0, "p3": 1.0, "p4": 0.0}
    dropped = measured(support=(0.1, 0.9, 0.1, 0.1))
    assert dropped.causes == {"dropped: support below the bar": 1}


def test_claims_are_halved_by_hash():
    chosen = [chooses(f"claim {n}") for n in range(200)]
    assert 80 < sum(chosen) < 120
    assert chosen == [chooses(f"claim {n}") for n in range(200)]


class Confidences:
    """Stands for the product's preparation: (confidence, papers found), below .3 declined."""

    def __init__(self, known):
        self.known = known

    def one(self, question):
        confidence, found = self.known[question.id]
        passages = tuple(Passage(Paper(name, name, ""), n, 1.0 / n) for n, name in enumerate(found, start=1))
        declined = Abstention("low_confidence", "") if confidence < 0.3 else None
        return SimpleNamespace(confidence=confidence, passages=passages, abstention=declined, evidence=())


def test_answerability_by_hand():
    known = {
        "a": (0.9, ["pa", "pb"]),
        "b": (0.2, ["pa", "pb"]),
        "c": (0.25, []),
        "d": (0.6, ["pd"]),
    }
    asked = [AnswerabilityCase(name, f"{name}?", name in "abc", f"p{name}") for name in "abcd"]
    heard = []
    found = measure_answerability(asked, Confidences(known), bar=0.3, told=heard.append)
    own = figures(found, 0, CONFIDENCE)
    assert heard == [1, 2, 3, 4]
    # answerable .9 .2 .25 against .6: one of three in order
    assert own["AUC"] == pytest.approx(1 / 3)
    assert own["false refusals"] == pytest.approx(2 / 3)
    assert own["refusal recall"] == 0.0
    # bins (.1,.2] (.2,.3] (.5,.6] (.8,.9], one each: gaps .8 .75 .6 .1
    assert own["ECE"] == pytest.approx((0.8 + 0.75 + 0.6 + 0.1) / 4)
    assert own["Brier"] == pytest.approx((0.64 + 0.5625 + 0.36 + 0.01) / 4)
    assert figures(found, 0, PAPER_SCORE)["ECE"] is None
    assert figures(found, 1, SHIPPED) == {
        "recall@1": pytest.approx(1 / 3),
        "recall@5": pytest.approx(2 / 3),
    }
    assert found.causes == {
        "refused although the passage was found": 1,
        "refused although the passage was not even found": 1,
        "answered although nothing answers it": 1,
    }
    assert found.members == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert [case.id for case in found.worst] == ["d"]
