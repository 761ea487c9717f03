from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.terms import content_terms, fold, stem, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Naïve Bayes", ["naive", "bayes"]),
        ("1,000 and 3.5%", ["1000", "and", "3.5%"]),
        ("at 9.1x", ["at", "9.1x"]),
        ("the model's size, don't", ["the", "model", "size", "don't"]),
        ("k-means", ["k", "means"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(("text", "folded"), [("Straße", "strasse"), ("É", "e"), ("ﬁne", "fine"), ("²", "2")])
def test_fold(text, folded):
    assert fold(text) == folded


def test_terms_are_stems_without_stopwords_and_keep_repeats():
    assert terms("The pruning of pruned models") == ["prune", "prune", "model"]


def test_terms_add_what_people_type_in_another_spelling():
    assert "gpt4" in terms("GPT-4")
    assert {"instruct", "retro"} <= set(terms("InstructRetro"))


def test_content_terms_are_distinct_and_without_the_additions():
    assert content_terms("GPT-4 and GPT-4 models") == {"gpt", "4", "model"}


@given(st.text(max_size=100))
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


def test_stems_are_equal_in_every_thread():
    asked = [f"{root}{end}" for root in ("train", "prun", "quantiz") for end in ("ing", "ed", "es")] * 50
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stem, asked)) == [stem(word) for word in asked]


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_text_is_folded_as_any_other(text: str) -> None:
    assert fold(text) == unicodedata.normalize("NFKD", text).casefold()


@pytest.mark.parametrize(
    ("text", "found"),
    [("1,000 of 2,000,000", ["1000", "of", "2000000"]), ("9,1 and 1,2345", ["9,1", "and", "1,2345"])],
)
def test_only_commas_of_thousands_go(text: str, found: list[str]) -> None:
    assert words(text) == found
