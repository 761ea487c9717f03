"""Words that changed places, and orders that mean nothing."""

import pytest

from rag.verify.checks import veto
from rag.verify.exchanged_words import exchanged_words

TUNING = "Scaling up fine-tuning improves helpfulness, while scaling up pre-training improves factuality."
LOCAL = "The cells draw local features from images into global memory banks."


@pytest.mark.parametrize(
    ("said", "told", "found"),
    [
        (
            "Scaling up fine-tuning improves factuality, while scaling up pre-training improves helpfulness.",
            TUNING,
            ("factual", "help"),
        ),
        (TUNING, TUNING, ()),
        ("The cells draw global features from images into local memory banks.", LOCAL, ("global", "local")),
        # members of a list
        ("It helps coding, science and maths tasks.", "It helps maths, science and coding tasks.", ()),
        # who is done to comes first in the passive
        (
            "Grammar errors in essays were found by students.",
            "Students in essays found errors with grammar.",
            (),
        ),
        # neighbours: another way to say the same
        (
            "Its effectiveness was demonstrated in two regions by wildfire.",
            "We demonstrate its effectiveness in two regions by wildfire.",
            (),
        ),
        ("A helps B while C waits.", "B helps A while C waits.", ()),  # too few words
    ],
)
def test_two_words_in_each_others_place(said: str, told: str, found: tuple[str, ...]) -> None:
    assert exchanged_words(said, f"Title\n{told}") == found


def test_such_a_sentence_is_not_shown() -> None:
    said = "The cells draw global features from images into local memory banks."
    assert veto(said, f"Title\n{LOCAL}") == "words that changed places: global, local"
