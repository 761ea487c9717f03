"""Which sentences of a paper carry a sentence, on an abstract written by hand."""

from __future__ import annotations

import pytest

from rag.text.sentences import sentence_spans
from rag.types import Evidence, Paper
from rag.verify.carrying import CARRYING_MAX, carrying, told_by

PAPER = Paper(
    "m",
    "Monarch \\textit{Mixer}",
    "Mixers reach 9.1x throughput at length 4K. "
    "Training uses eight small graphics cards. "
    "Perplexity falls below transformer baselines. "
    "Mixers use cheap matrices. "
    "Beam search was run with width 17.",
)
SPEED, CARDS, PERPLEXITY, MATRICES, BEAM = (
    Evidence(1, PAPER, start, end, score)
    for (start, end), score in zip(sentence_spans(PAPER.abstract), (0.5, 0.6, 0.7, 0.8, 0.9), strict=True)
)
ALL = [BEAM, MATRICES, PERPLEXITY, CARDS, SPEED]


@pytest.mark.parametrize(
    ("sentence", "carriers"),
    [
        ("It reaches 9.1x throughput.", [SPEED]),
        ("Training uses eight cards.", [CARDS]),
        # three words of one, two of the other; the one with more comes first
        ("Eight cards, throughput at length 4K.", [SPEED, CARDS]),
        # 'matrices' alone is one word more, which is not worth a quote
        ("It reaches 9.1x throughput by matrices.", [SPEED]),
        ("It reaches 9.1x throughput by cheap matrices.", [SPEED, MATRICES]),
    ],
)
def test_the_fewest_sentences_that_hold_the_words(sentence: str, carriers: list[Evidence]) -> None:
    assert carrying(sentence, ALL) == carriers


def test_a_number_is_worth_a_quote_though_it_is_a_single_word() -> None:
    assert carrying("Perplexity falls below transformer baselines at 17.", ALL) == [PERPLEXITY, BEAM]
    assert carrying("Perplexity falls below transformer baselines at width.", ALL) == [PERPLEXITY]


def test_what_no_quote_mends_brings_no_further_quotes() -> None:
    """As with a sentence on two papers, half of which stands in the other."""
    assert carrying("Mixers reach 99.9x throughput.", ALL) == [SPEED]
    assert carrying("Mixers reach 9.1x throughput, and Zorblax-9 reaches 12x.", ALL) == [SPEED]


def test_no_more_sentences_than_are_allowed_however_much_is_said() -> None:
    said = (
        "Throughput at length 4K on eight graphics cards: perplexity falls below baselines, "
        "beam search of width 17."
    )
    assert CARRYING_MAX == 3
    assert carrying(said, ALL) == [BEAM, PERPLEXITY, CARDS]  # 4 words, then 3 each: the likelier first


def test_one_sentence_in_any_case_the_nearest_then_the_likeliest_then_the_first() -> None:
    assert carrying("Quite another thing is said here.", ALL) == [BEAM]
    alike = [Evidence(1, PAPER, item.start, item.end, 0.5) for item in ALL]
    assert carrying("Quite another thing is said here.", alike) == alike[:1]
    assert carrying("Beam.", [SPEED]) == [SPEED]


def test_words_that_only_frame_are_not_looked_for() -> None:
    framed = carrying("Training uses cheap cards; the paper uses matrices.", ALL)
    assert framed == [MATRICES, CARDS]  # 'uses' stands in both and counts in neither: 2 words each


def test_what_a_claim_may_rest_on_is_the_title_and_sentences_in_text_order_cleaned() -> None:
    assert told_by([BEAM, SPEED]) == (
        "Monarch Mixer\nMixers reach 9.1x throughput at length 4K.\nBeam search was run with width 17."
    )
    assert told_by([]) == ""
