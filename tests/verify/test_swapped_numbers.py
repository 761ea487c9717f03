from __future__ import annotations

import pytest

from rag.verify.swapped_numbers import exchanged_numbers

TOLD = [
    "SSR++ reaches 96.66% on the GSM8K maths benchmark and 76.28% on the harder AQuA algebra benchmark.",
    "Open models reach an accuracy of 75.5% zero-shot, compared to human performance of 95.3%.",
    "The course involved 370 high-school teachers and 5,370 students from 189 Latin-American schools.",
    "It retains 96% of the original performance after pruning 88.9% of visual tokens.",
    "Models score higher (80-95%) on international questions compared to Romanian culture (50-75%).",
    "SAGA scores 69% of titles right in new excerpts and 6% of masked entities.",
]
EXCHANGED = [
    (0, "SSR++ reaches 76.28% on the GSM8K maths benchmark and 96.66% on the harder AQuA algebra benchmark."),
    (
        1,
        "Open models reach an accuracy of 95.3% zero-shot, compared to human performance of 75.5%.",
    ),
    (2, "The course involved 189 high-school teachers and 5,370 students from 370 Latin-American schools."),
    (3, "It retains 88.9% of the original performance after pruning 96% of visual tokens."),
]


@pytest.mark.parametrize("sentence", TOLD)
def test_a_sentence_has_its_numbers_where_it_has_them(sentence):
    assert exchanged_numbers(sentence, " ".join(TOLD)) == ()


@pytest.mark.parametrize(("place", "sentence"), EXCHANGED)
def test_exchanged(place, sentence):
    assert len(exchanged_numbers(sentence, TOLD[place])) >= 2


@pytest.mark.parametrize(
    "sentence",
    [
        "On AQuA it has 76.28%, on GSM8K 96.66%.",  # told in the other order
        "Humans have 95.3%.",
        "It involved 189 schools, 370 teachers and 5,370 students.",
        "Models score 80-95% on international questions and 50-75% on Romanian ones.",
    ],
)
def test_another_order_is_no_exchange(sentence):
    assert exchanged_numbers(sentence, " ".join(TOLD)) == ()


def test_a_number_mistaken_for_another_one_that_the_sentence_does_not_hold():
    # 6 has 'masked entities' around it; the words here are those of 69.
    wrong = "SAGA scores 6% of titles right in new excerpts."
    assert exchanged_numbers(wrong, TOLD[5]) == ("6",)
    assert exchanged_numbers(wrong.replace("6%", "69%"), TOLD[5]) == ()


def test_years_and_counts_are_not_mistaken_for_one_another():
    told = "In 2012 young writers of daily prose met. The corpus holds 300 texts."
    assert exchanged_numbers("Young writers of daily prose gave 300 texts.", told) == ()
    counts = told.replace("2012", "12")
    assert exchanged_numbers("Young writers of daily prose gave 300 texts.", counts) == ("300",)


def test_both_ends_of_a_range_have_the_same_words():
    told = "Models score higher (80-95%) on international trivia questions."
    assert exchanged_numbers("On international trivia questions 80-95% is scored.", told) == ()


def test_numbers_that_are_not_there_are_another_check():
    assert exchanged_numbers("7 teachers and 9 schools", TOLD[2]) == ()
