"""Words one slip away from a word of the collection, and all the words that are to be left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.query.spelling import Spelling, dictionary_of
from rag.text.terms import stem

WORDS = frozenset(
    "which small model parameters architecture learning leading really reason knights puzzles gamma scrub"
    " training straining memories word rewarded dot the with".split()
)
HELD = {stem(word): 2.0 for word in WORDS - {"scrub"}} | {"learn": 1.0, "normal": 3.0, "preflexor": 6.0}
SPELLING = Spelling(WORDS, HELD.__contains__, lambda term: HELD.get(term, 9.0))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("wich arcitecture has the smal model", "which architecture has the small model"),
        ("how many paramters in preflexor", "how many parameters in preflexor"),  # the collection knows it
        ("about knigths and puzzzles", "about knights and puzzles"),  # places changed; one too many
        ("the learing rate", "the learning rate"),  # 'leading', too, is one slip away, and rarer
        ("wrong arxhitecture", "wrong architecture"),  # a wrong letter of a long word
        ("is gemma better", "is gemma better"),  # of a short one it makes another name
        ("straning", "straining"),  # not 'training': a first letter is rarely wrong
        ("Smal SMAL smal-scale smal2 sma", "Smal SMAL smal-scale smal2 sma"),  # names, compounds, short words
        ("normalise and scrubbed", "normalise and scrubbed"),  # British, and a form of a known word
        ("reworded, dont remodel", "reworded, dont remodel"),  # put together; without its apostrophe
        ("zzzzqqqq", "zzzzqqqq"),
    ],
)  # fmt: skip
def test_what_was_meant(asked: str, meant: str):
    assert SPELLING.mended(asked) == meant


def test_a_word_the_collection_does_not_hold_helps_nobody():
    assert Spelling(WORDS, lambda _: False, lambda _: 1.0).mended("smal paramters, wich") == (
        "smal paramters, which"
    )


def test_without_a_dictionary_nothing_is_mended(tmp_path: Path):
    assert dictionary_of(tmp_path) == frozenset()
    assert Spelling(dictionary_of(tmp_path), lambda _: True, lambda _: 1.0).mended("wich") == "wich"


def test_a_dictionary_is_the_whole_words_of_a_vocabulary(tmp_path: Path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n##ing\nmodel\nNew\ncafé\n42\nsmall\n", encoding="utf-8")
    assert dictionary_of(tmp_path) == {"model", "small"}
