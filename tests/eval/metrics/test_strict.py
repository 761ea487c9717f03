"""Right, strictly: figures, six tenths of the words, the same yes or no."""

from __future__ import annotations

import pytest

from eval.metrics.strict import is_right

LONG = "Alpha bravo carry delta exotic foxes golden humming igloos jolly."  # ten content words


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        (LONG, "Alpha bravo carry delta exotic foxes.", True),  # six of ten
        (LONG, "Alpha bravo carry delta exotic.", False),
        ("It reaches 9.1x and 27%.", "It reaches 27%, and 9.1x at that.", True),
        ("It reaches 9.1x and 27%.", "It reaches 9.1x.", False),
        ("It reaches 1,000 tokens.", "It reaches 1000 tokens.", True),
        ("It reaches high throughput.", "It reaches high throughput of 3x.", True),  # more may be said
        ("Yes, it scales well.", "It scales well.", True),  # no word against it
        ("Yes, it scales well.", "Yes, it scales well.", True),
        ("Yes, it scales well.", "No, it scales well.", False),
        ("No, it scales well.", "Yes, it scales well.", False),
        ("It scales well.", "", False),
    ],
)
def test_right_by_hand(reference: str, answer: str, right: bool) -> None:
    assert is_right(reference, answer) is right
