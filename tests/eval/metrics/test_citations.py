from __future__ import annotations

import math

import pytest
from eval_rows import ALPHA, BETA, DECLINED, cite, reply, say

from eval.metrics.citations import (
    CitedSentence,
    citation_precision,
    citation_recall,
    citation_scores,
    cited_sentences,
    faithfulness,
    premise_of,
    relevant_citations,
    verdicts,
)


class AllWords:
    """Supports a claim when every word of it stands in the premise; keeps what it was asked."""

    name = "all-words"

    def supports(self, claim: str, premise: str) -> bool:
        return set(claim.split()) <= set(premise.split())


JUDGE = AllWords()


def cited(claim: str, *premises: str, resolves: bool = True) -> CitedSentence:
    return CitedSentence(claim, premises, resolves)


def test_recall_is_joint_and_an_uncited_sentence_counts_zero() -> None:
    sentences = [cited("a b", "a", "b"), cited("a", "b"), cited("a"), cited("a", "a")]
    assert citation_recall(sentences, JUDGE) == 0.5  # first and last of four


@pytest.mark.parametrize(
    ("sentence", "relevant"),
    [
        (cited("a b", "a", "b"), 2),  # neither can be left out
        (cited("a b", "a b", "c"), 1),  # c supports nothing, the rest does
        (cited("a b", "a b", "a"), 1),  # a is not enough, the rest is
        (cited("a b", "a b", "b a"), 2),  # each alone is enough
        (cited("a b", "a", "c"), 0),  # not supported jointly
        (cited("a", "b"), 0),
        (cited("a", "a"), 1),
        (cited("a"), 0),
        # left out one at a time, c is irrelevant; a and b are both needed
        (cited("a b", "a", "b", "c"), 2),
    ],
)
def test_leave_one_out(sentence: CitedSentence, relevant: int) -> None:
    assert relevant_citations(sentence, JUDGE) == relevant


def test_precision_is_over_the_citations_of_the_answer() -> None:
    # relevant 1 of 2, 0 of 1, 1 of 1, no citation: 2 / 4
    sentences = [cited("a", "a", "c"), cited("a", "b"), cited("b", "b"), cited("c")]
    assert citation_precision(sentences, JUDGE) == 0.5


def test_a_key_that_names_nothing() -> None:
    sentences = [cited("a", "a", resolves=False), cited("b", "b")]
    assert citation_recall(sentences, JUDGE) == 0.5
    assert citation_precision(sentences, JUDGE) == 1.0  # 1 of 1: ALCE leaves that sentence's out


def test_zero_cases() -> None:
    assert citation_recall([], JUDGE) is None
    assert citation_precision([], JUDGE) is None
    assert citation_recall([cited("a")], JUDGE) == 0.0
    assert citation_precision([cited("a")], JUDGE) == 0.0
    assert math.isnan(faithfulness([DECLINED], JUDGE))
    assert all(math.isnan(score) for score in citation_scores([DECLINED], JUDGE))


def test_premises_of_an_answer() -> None:
    one = cite(1, ALPHA, "One is 5%.", "Three is new.")
    assert premise_of(one) == "Alpha\nOne is 5%.\nThree is new."
    assert premise_of(one, titled=False) == "One is 5%.\nThree is new."
    answer = reply(say("One [1].", 1, 1), say("Four.", 2), citations=[one])
    assert cited_sentences(answer) == (
        CitedSentence("One.", (premise_of(one),)),
        CitedSentence("Four.", (), resolves=False),
    )


def test_means_over_answers_and_over_sentences() -> None:
    one, four = cite(1, ALPHA, "One is 5%."), cite(2, BETA, "Four is 7%.")
    good = reply(say("One is 5%.", 1), citations=[one])
    # supported, not supported, not cited
    mixed = reply(say("Four is 7%.", 2), say("Four is slow.", 2), say("Nine."), citations=[one, four])
    assert verdicts(mixed, JUDGE) == (True, False, False)
    # recall: (1 + 1/3) / 2; precision: (1/1 + 1/2) / 2; the refusal is left out
    assert citation_scores([good, mixed, DECLINED], JUDGE) == pytest.approx((2 / 3, 3 / 4))
    assert faithfulness([good, mixed, DECLINED], JUDGE) == 0.5  # 2 of 4 sentences


def test_the_title_is_part_of_the_premise_unless_left_out() -> None:
    answer = reply(say("Alpha 5%.", 1), citations=[cite(1, ALPHA, "One is 5%.")])
    assert faithfulness([answer], JUDGE) == 1.0
    assert faithfulness([answer], JUDGE, titled=False) == 0.0
