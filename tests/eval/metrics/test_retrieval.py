from __future__ import annotations

import math

import pytest
from eval_rows import ALPHA, BETA, GAMMA, cite, gold, reply, say

from eval.metrics.retrieval import (
    collapsed,
    evidence_any,
    evidence_recall,
    evidence_shown,
    mrr_at,
    mrr_at_k,
    ndcg_at,
    ndcg_at_k,
    recall_at,
    recall_at_k,
)

ONE = {"a": 1.0, "b": 1.0}


def test_chunks_collapse_to_the_best_hit() -> None:
    assert collapsed(["a", "a", "b", "a"]) == ["a", "b"]


def test_recall() -> None:
    assert recall_at_k(ONE, ["x", "a", "b"], 1) == 0.0
    assert recall_at_k(ONE, ["x", "a", "b"], 2) == 0.5
    assert recall_at_k(ONE, ["x", "a", "b"], 3) == 1.0
    # the second chunk of a neither counts twice nor takes b's place
    assert recall_at_k(ONE, ["a", "a", "b"], 2) == 1.0
    # grade 0 is judged and not relevant: one of one
    assert recall_at_k({"a": 2.0, "b": 0.0}, ["a"], 5) == 1.0


def test_mrr() -> None:
    assert mrr_at_k(ONE, ["x", "y", "b", "a"]) == pytest.approx(1 / 3)
    assert mrr_at_k(ONE, ["x", "x", "x", "b"]) == 0.5  # x is one paper
    assert mrr_at_k(ONE, [*"cdefghijkl", "a"]) == 0.0  # rank 11


def test_ndcg_with_one_grade() -> None:
    # hits at 2 and 3: (1/log2 3 + 1/log2 4) / (1/log2 2 + 1/log2 3) = 1.130930 / 1.630930
    assert ndcg_at_k(ONE, ["x", "a", "b"]) == pytest.approx(0.693426, abs=1e-6)
    assert ndcg_at_k(ONE, ["b", "a"]) == 1.0


def test_ndcg_with_grades() -> None:
    # order b (1), a (3): 1 + 3/log2 3 = 2.892789; best 3 + 1/log2 3 = 3.630930
    found = ndcg_at_k({"a": 3.0, "b": 1.0, "c": 0.0}, ["b", "a"])
    assert found == pytest.approx(2.892789 / 3.630930, abs=1e-6)


def test_ndcg_credits_a_duplicate_once_and_never_passes_one() -> None:
    assert ndcg_at_k({"a": 1.0}, ["a", "a", "a"]) == 1.0


def test_ndcg_cuts_the_best_order_too() -> None:
    # k 1: 1 / 1, although two are relevant
    assert ndcg_at_k(ONE, ["a"], 1) == 1.0


def test_ndcg_agrees_with_sklearn() -> None:
    from sklearn.metrics import ndcg_score

    grades = {"a": 3.0, "b": 0.0, "c": 2.0, "d": 1.0}
    ranked = ["c", "b", "d", "a"]
    theirs = ndcg_score([[grades[n] for n in "abcd"]], [[-ranked.index(n) for n in "abcd"]], k=3)
    assert ndcg_at_k(grades, ranked, 3) == pytest.approx(theirs)


@pytest.mark.parametrize("metric", [mrr_at_k, ndcg_at_k, recall_at_k])
def test_zero_cases(metric) -> None:
    assert metric({}, ["a"], 10) is None
    assert metric({"a": 0.0}, ["a"], 10) is None
    assert metric(ONE, [], 10) == 0.0


def test_on_questions_and_answers() -> None:
    answer = reply(papers=(GAMMA, ALPHA, BETA))
    asked = gold("Alpha", "Beta")
    assert recall_at(asked, answer, 2) == 0.5
    assert mrr_at(asked, answer) == 0.5
    assert ndcg_at(asked, answer) == pytest.approx((1 / math.log2(3) + 0.5) / (1 + 1 / math.log2(3)))
    assert recall_at(gold(), answer, 2) is None


def test_evidence_recall() -> None:
    answer = reply(shown=[(ALPHA, "One is 5%."), (BETA, "Four is 7%.")])
    # the first span overlaps a shown sentence, the second stands in another one: 1 of 2
    asked = gold("Alpha", evidence=[("Alpha", "is 5%. Two"), ("Alpha", "Three is new.")])
    assert evidence_recall(asked, answer) == 0.5
    assert evidence_any(asked, answer) == 1.0


def test_evidence_needs_the_right_paper_and_a_shared_character() -> None:
    answer = reply(shown=[(ALPHA, "One is 5%.")])
    assert evidence_recall(gold(evidence=[("Beta", "One is 5%.")]), answer) == 0.0
    assert evidence_recall(gold(evidence=[("Alpha", " Two is slow.")]), answer) == 0.0  # they only touch
    assert evidence_any(gold(evidence=[("Alpha", " Two is slow.")]), answer) == 0.0


def test_evidence_that_is_not_verbatim_falls_back_on_containment() -> None:
    answer = reply(shown=[(ALPHA, "One is 5%.")])
    assert evidence_recall(gold(evidence=[("Alpha", "So, One is 5%. Indeed.")]), answer) == 1.0
    assert evidence_recall(gold(evidence=[("Alpha", "One is 6%.")]), answer) == 0.0


def test_evidence_shown_is_what_stands_among_the_quotes() -> None:
    answer = reply(say("One is 5%.", 1), citations=[cite(1, ALPHA, "One is 5%.", "Two is slow.")])
    asked = gold(evidence=[("Alpha", "is 5%"), ("Alpha", "So: Two is slow."), ("Alpha", "Three is new.")])
    assert evidence_shown(asked, answer) == pytest.approx(2 / 3)  # either may hold the other
    assert evidence_shown(gold(evidence=[("Beta", "One is 5%.")]), answer) == 0.0
    assert evidence_shown(gold(), answer) is None
    assert evidence_shown(asked, reply()) == 0.0


def test_evidence_zero_cases() -> None:
    assert evidence_recall(gold(), reply()) is None
    assert evidence_any(gold(), reply()) is None
    assert evidence_recall(gold(evidence=[("Alpha", "One")]), reply()) == 0.0
