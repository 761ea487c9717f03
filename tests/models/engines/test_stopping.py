from __future__ import annotations

import threading

import pytest
import torch

from rag.models.engines.stopping import repeats, stopping_rule

EIGHT = "one two three four five six seven eight"


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("It is. It was.", False),
        ("It is so. And it is so.", False),
        ("It is so. It IS so.", True),
        (f"{EIGHT} nine {EIGHT}", True),
        (f"{EIGHT} nine {EIGHT} ten", False),  # only what stands at the end is looked at
        (EIGHT, False),
        (f"{EIGHT} one two three", False),
        ("", False),
    ],
)
def test_repeats(text, repeated):
    assert repeats(text) is repeated


class Letters:
    """A tokenizer of letters: token n is the n-th letter; 0 is a full stop, 27 a space."""

    def batch_decode(self, rows, skip_special_tokens):
        assert skip_special_tokens
        return ["".join(".abcdefghijklmnopqrstuvwxyz "[token] for token in row) for row in rows.tolist()]


def rows(*texts: str) -> torch.Tensor:
    return torch.tensor([[".abcdefghijklmnopqrstuvwxyz ".index(c) for c in text] for text in texts])


def test_each_row_ends_on_its_own():
    rule = stopping_rule(Letters(), 2, ["stop"], None)
    assert rule(rows("abxstop", "abxstip"), None).tolist() == [True, False]


def test_the_prompt_does_not_stop_its_answer():
    rule = stopping_rule(Letters(), 4, ["stop"], None)
    assert rule(rows("stopxx"), None).tolist() == [False]


def test_a_row_that_repeats_itself_ends():
    rule = stopping_rule(Letters(), 0, [], None)
    assert rule(rows("yes. yes.", "yes. no.."), None).tolist() == [True, False]


def test_cancelling_ends_all_rows():
    cancelled = threading.Event()
    rule = stopping_rule(Letters(), 0, [], cancelled)
    assert rule(rows("a", "b"), None).tolist() == [False, False]
    cancelled.set()
    assert rule(rows("a", "b"), None).tolist() == [True, True]
