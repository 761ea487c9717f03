from __future__ import annotations

import math

import pytest
from eval_rows import ALPHA, BETA, DECLINED, FAILED, cite, gold, reply, say

from eval.metrics.answers import (
    answer_f1,
    coverage,
    false_refusal_rate,
    has_right_citation,
    is_correct,
    is_correct_and_short,
    mean,
    refusal_recall,
    sentences_with_unsupported_numbers,
    squad_tokens,
    title_precision,
    title_recall,
    token_f1,
    unsupported_number_rate,
)

FIVE = cite(1, ALPHA, "One is 5%.")
SEVEN = cite(2, BETA, "Four is 7%.")


def test_mean_leaves_none_out() -> None:
    assert mean([1.0, None, False]) == 0.5
    assert math.isnan(mean([None]))
    assert math.isnan(mean([]))


def test_must_contain() -> None:
    asked = gold(must=[("5%", "5 percent"), ("one",)])
    assert is_correct(asked, reply(say("ONE  is\n5%.", 1))) is True
    assert is_correct(asked, reply(say("It is 5%.", 1))) is False
    assert is_correct(asked, DECLINED) is False
    assert is_correct(asked, FAILED) is False
    assert is_correct(gold(), reply(say("Anything."))) is None


@pytest.mark.parametrize(("filler", "short"), [(77, True), (78, False)])
def test_what_is_told_in_more_than_80_words_is_no_short_answer(filler: int, short: bool) -> None:
    asked = gold(must=[("5%",)])
    answer = reply(say("It is 5%.", 1), say("so " * filler, 1))
    assert is_correct(asked, answer) is True
    assert is_correct_and_short(asked, answer) is short
    assert is_correct_and_short(asked, reply(say("It is 6%.", 1))) is False
    assert is_correct_and_short(gold(), answer) is None


def test_must_contain_reads_cited_titles() -> None:
    assert is_correct(gold(must=[("alpha",)]), reply(say("It is 5%.", 1), citations=[FIVE])) is True


def test_squad_tokens() -> None:
    assert squad_tokens("The  state-of-the-art, a 5.5% gain!") == ["stateoftheart", "55", "gain"]


def test_token_f1() -> None:
    # {up, to, 27, fewer, parameters} and {27, fewer, weights}: shared 2, P 2/5, R 2/3, F1 = 0.5
    assert token_f1("Up to 27% fewer parameters.", "27% fewer weights") == pytest.approx(0.5)
    # bags, not sets: shared 1 of 2, P 1/2, R 1
    assert token_f1("big big", "big") == pytest.approx(2 / 3)
    assert token_f1("The end.", "end") == 1.0


def test_token_f1_zero_cases() -> None:
    assert token_f1("", "") == 1.0
    assert token_f1("the", "a!") == 1.0  # nothing is left of both
    assert token_f1("", "end") == 0.0
    assert token_f1("end", "") == 0.0
    assert token_f1("start", "end") == 0.0


def test_answer_f1() -> None:
    # marks are no tokens: {one, is, 5} and {5}: P 1/3, R 1
    assert answer_f1(gold(answer="5%"), reply(say("One is 5% [1].", 1))) == pytest.approx(0.5)
    assert answer_f1(gold(answer="5%"), DECLINED) == 0.0
    assert answer_f1(gold(), reply()) is None


def test_refusals_and_coverage() -> None:
    said = reply(say("Five.", 1))
    near, far = (gold(type=kind, answerable=False) for kind in ("near_unanswerable", "far"))
    rows = [
        (gold(), said), (gold(), reply(status="quoted")), (gold(), DECLINED), (gold(), FAILED),
        (near, DECLINED), (near, said), (near, FAILED), (far, DECLINED),
    ]  # fmt: skip
    assert refusal_recall(rows, {"near_unanswerable"}) == pytest.approx(1 / 3)
    assert refusal_recall(rows, {"far"}) == 1.0
    assert refusal_recall(rows) == 0.5  # 2 of 4
    assert false_refusal_rate(rows) == 0.25  # the error is no refusal
    assert coverage(rows) == 0.5  # and no answer


def test_refusal_zero_cases() -> None:
    assert all(math.isnan(f([])) for f in (refusal_recall, false_refusal_rate, coverage))


def test_titles() -> None:
    answer = reply(say("Five.", 1), citations=[FIVE, SEVEN])
    assert title_precision(gold("Alpha"), answer) == 0.5
    assert title_recall(gold("Alpha", "Gamma", "Delta"), answer) == pytest.approx(1 / 3)
    assert has_right_citation(gold("Beta"), answer)
    assert not has_right_citation(gold("Gamma"), answer)
    assert title_precision(gold("Alpha"), reply()) is None
    assert title_recall(gold("Alpha"), reply()) == 0.0
    assert title_recall(gold(), answer) is None


def test_unsupported_numbers() -> None:
    answer = reply(
        say("One is 5%.", 1), say("One is 7%.", 1), say("Both: 5% and 7%.", 1, 2), say("It is new.", 1),
        say("Five is 7%."), citations=[FIVE, SEVEN],
    )  # fmt: skip
    flags = sentences_with_unsupported_numbers(answer)
    assert flags == (False, True, False, False, True)  # the last cites nothing
    assert unsupported_number_rate([answer, DECLINED]) == pytest.approx(2 / 5)
    assert math.isnan(unsupported_number_rate([DECLINED]))


def test_titles_count_as_sources_of_numbers_when_asked() -> None:
    from dataclasses import replace

    answer = reply(say("It has 9 parts.", 1), citations=[replace(FIVE, title="A Set of 9 Parts")])
    assert sentences_with_unsupported_numbers(answer) == (True,)
    assert sentences_with_unsupported_numbers(answer, titles=True) == (False,)
