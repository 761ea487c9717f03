"""Words copied wrongly, and words that only look like it."""

import pytest

from rag.verify.checks import veto
from rag.verify.miscopied import miscopied_words


@pytest.mark.parametrize(
    ("said", "told", "found"),
    [
        ("learningenes", "learngenes", ["learningenes"]),  # learn + in + genes
        ("learnngenes", "learngenes", ["learnngenes"]),
        ("hypernatworks", "hypernetworks", ["hypernatworks"]),
        ("learngenes", "learngenes", []),
        ("optimisation", "optimization", []),
        ("parameterization", "parametrization", []),
        ("representational", "representations", []),  # the end differs
        ("interpolated", "extrapolated", []),
        ("multilingual", "multimodal", []),
        ("gentles", "genes", []),  # too short
        ("pretrained", "retrained", []),  # the beginning differs
    ],
)
def test_a_slip_is_a_letter_or_two_in_the_middle_of_a_long_word(
    said: str, told: str, found: list[str]
) -> None:
    assert miscopied_words(f"It yields {said}.", f"Title\nIt yields {told}.") == found


def test_a_sentence_with_a_slip_is_not_shown() -> None:
    told = "KIND\nIt partitions the matrices into learngenes and tailors."
    reason = veto("It partitions the matrices into learningenes and tailors.", told)
    assert reason == "a word copied wrongly: learningenes"
    assert veto("It partitions the matrices into learngenes and tailors.", told) is None
