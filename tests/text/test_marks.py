from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.marks import display, keys_in, resolved, strip_marks, with_marks


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a [2] b [1, 2]", (2, 1)),
        ("a [1][2].", (1, 2)),
        ("a [1; 3]", (1, 3)),
        ("a (1) b", ()),
        ("interval [0.5, 1]", ()),
        ("array [x1]", ()),
        ("a [1234]", ()),
        ("", ()),
    ],
)
def test_keys(text, keys):
    assert keys_in(text) == keys


def test_invented_keys_do_not_resolve():
    assert resolved((3, 1, 9), {1, 3}) == (3, 1)


@pytest.mark.parametrize(
    ("text", "bare"),
    [("So it is [1][2].", "So it is."), ("[3] So", "So"), ("a [1] b", "a b"), ("(1)", "(1)")],
)
def test_strip(text, bare):
    assert strip_marks(text) == bare


@pytest.mark.parametrize(
    ("text", "keys", "marked"),
    [
        ("So it is.", (1, 2), "So it is [1][2]."),
        ("Is it?", (1,), "Is it [1]?"),
        ("no stop", (1,), "no stop [1]"),
        ("none.", (), "none."),
    ],
)
def test_with_marks(text, keys, marked):
    assert with_marks(text, keys) == marked


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ("as in [3], on [0, 1].", "as in ［3］, on ［0, 1］."),
        ("[1][2; 3] first", "［1］［2; 3］ first"),
        ("interval [0.5, 1], array [x1], year [2024]", "interval [0.5, 1], array [x1], year [2024]"),
        ("9.1times \\emph{more} [5]", "9.1x more ［5］"),
        ("", ""),
    ],
)
def test_marks_of_stored_text_are_shown_as_no_marks(stored, seen):
    assert display(stored) == seen


@given(st.text(alphabet="ab [],;0123456789{}\\$", max_size=40))
def test_nothing_shown_is_taken_for_a_mark(stored):
    assert keys_in(display(stored)) == ()
    assert strip_marks(display(stored)) == display(stored).strip()


SENTENCES = st.text(alphabet="abc XYZ,.!?()0123456789", max_size=40).map(
    lambda text: re.sub(r"\s+", " ", text.strip(" .!?") + ".")
)
KEYS = st.lists(st.integers(1, 999), unique=True, max_size=4)


@given(SENTENCES, KEYS)
def test_marks_put_in_are_found_and_taken_out_again(text, keys):
    marked = with_marks(text, keys)
    assert keys_in(marked) == tuple(keys)
    assert strip_marks(marked) == text


@given(st.text(max_size=60))
def test_nothing_is_left_to_strip(text):
    assert keys_in(strip_marks(strip_marks(text))) == keys_in(strip_marks(text))
