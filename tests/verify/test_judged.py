"""The stage over a verifier and a judge of the test's own: what stood is judged, and so is a summary."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes import ConstantVerifier, FakeReader, texts_of

from rag.types import Draft, Evidence, Paper, Sentence
from rag.verify.grounding import Finding, Verification

MIXER = Paper("m", "Monarch Mixer", "Mixers reach 9.1x throughput. They need few parameters.")
RETRO = Paper("r", "Retro-Li", "Retro-Li retrieves from a small memory.")
MIXER_READ, RETRO_READ = texts_of(MIXER, RETRO).values()
OF_MIXER = (Evidence(1, MIXER, 0, 29, 0.9), Evidence(1, MIXER, 30, 55, 0.8))
OF_RETRO = (Evidence(2, RETRO, 0, 39, 0.7),)
FINDINGS = [
    Finding(1, "Monarch Mixer", "Mixers reach 9.1x throughput."),
    Finding(2, "Retro-Li", "Retro-Li retrieves from a small memory."),
]
QUESTION = "What do they do?"
BOTH = "Mixers reach 9.1x throughput, and Retro-Li retrieves from memory."


def judge(right: float, *, of_retro: float | None = None) -> FakeReader:
    """Yes is by `right` nats likelier than no; of Retro-Li by another."""

    def says(text: str) -> Sequence[float]:
        odds = of_retro if of_retro is not None and "Title: Retro-Li" in text else right
        return 0.0, -1.0 + odds, -1.0

    return FakeReader(says)


def drafts(*texts: str) -> list[Draft]:
    papers = [(OF_MIXER, MIXER_READ), (OF_RETRO, RETRO_READ)]
    return [Draft(text, *own) for text, own in zip(texts, papers, strict=False)]


# -- drafts ---------------------------------------------------------------------------------------


def test_without_a_judge_nobody_says_whether_it_is_right() -> None:
    found = Verification(ConstantVerifier(), 0.5)(QUESTION, drafts("Mixers reach 9.1x throughput."))
    assert [(len(one.kept), one.right) for one in found] == [(1, None)]


def test_of_each_draft_what_stood_is_judged_behind_its_whole_paper() -> None:
    reader = judge(1.5, of_retro=-2.0)
    said = drafts(
        "Mixers reach 9.1x throughput. Mixers reach 2.5x throughput. They need few parameters.",
        "Retro-Li retrieves from a small memory.",
    )
    first, second = Verification(ConstantVerifier(), 0.5, reader)(QUESTION, said)
    assert (first.right, second.right) == (1.5, -2.0)
    assert len(second.kept) == 1  # wrong or not: that is for the conclusion to weigh
    assert reader.proposed == [["Yes", "No"]]
    assert reader.asked[0].endswith(
        "\nTitle: Monarch Mixer\nAbstract: Mixers reach 9.1x throughput. They need few parameters.\n\n"
        "Question: What do they do?\n"
        "Proposed answer: Mixers reach 9.1x throughput. They need few parameters.\n"
        "Is this answer right? Yes or no:"
    )


def test_where_nothing_stood_what_will_be_quoted_is_judged() -> None:
    reader = judge(1.0, of_retro=-2.0)
    said = drafts("Not in this abstract.", "Retro-Li retrieves from a small memory.")
    first, second = Verification(ConstantVerifier(), 0.5, reader)(QUESTION, said)
    assert (first.kept, first.right, second.right) == ((), 1.0, -2.0)
    assert "Proposed answer: Mixers reach 9.1x throughput.\n" in reader.asked[0]  # .9, the other .8
    assert "Title: Retro-Li\n" in reader.asked[1]


def test_an_address_is_not_what_will_be_quoted() -> None:
    paper = Paper("m", "Mixers", "Code: https://example.org/mixers. Mixers reach high speed.")
    evidence = (Evidence(1, paper, 0, 33, 0.9), Evidence(1, paper, 34, 58, 0.5))
    reader = judge(1.0)
    Verification(ConstantVerifier(), 0.5, reader)(
        QUESTION, [Draft("Not in this abstract.", evidence, texts_of(paper)["m"])]
    )
    assert "Proposed answer: Mixers reach high speed.\n" in reader.asked[0]


def test_where_nothing_was_drafted_the_judge_is_not_asked() -> None:
    reader = judge(1.0)
    assert Verification(ConstantVerifier(), 0.5, reader)(QUESTION, []) == []
    assert reader.proposed == []


# -- summaries ------------------------------------------------------------------------------------


def summary(
    text: str, *, support: float = 0.8, reader: FakeReader | None = None, findings: Sequence[Finding] = ()
) -> list[Sentence]:
    stage = Verification(ConstantVerifier(support), 0.5, reader)
    return stage.summary(QUESTION, text, findings or FINDINGS)


def test_a_sentence_over_two_papers_cites_both() -> None:
    assert summary(BOTH) == [Sentence(BOTH, (1, 2), 0.8)]


def test_a_summary_rests_on_titles_and_findings_together() -> None:
    verifier = ConstantVerifier()
    Verification(verifier, 0.5).summary(QUESTION, BOTH, FINDINGS)
    told = "Monarch Mixer\nMixers reach 9.1x throughput.\nRetro-Li\nRetro-Li retrieves from a small memory."
    assert verifier.claims == [(BOTH, told)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Retro-Li retrieves from a small memory.",  # of one paper: told already
        "Mixers reach 5.5x throughput, and Retro-Li retrieves from memory.",
        "Mixers reach 9.1x throughput, and Zorblax-9 retrieves from memory.",
        "Do Mixers reach 9.1x throughput, and does Retro-Li retrieve from memory?",
        "Not in this abstract.",
    ],
)
def test_what_no_two_papers_were_found_to_say_is_no_summary(text: str) -> None:
    assert summary(text) == []


def test_of_a_summary_the_good_sentences_stay() -> None:
    assert [s.text for s in summary(f"Retro-Li reaches 7.7x throughput. {BOTH}")] == [BOTH]


@pytest.mark.parametrize(("support", "stays"), [(0.5, True), (0.49, False)])
def test_the_bar_itself_is_enough(support: float, stays: bool) -> None:
    assert bool(summary(BOTH, support=support)) == stays


def test_a_finding_is_cited_from_three_words_in_ten_on() -> None:
    told = "Caches alpha bravo carry delta exotic foxes golden humming igloos."  # ten words
    findings = [FINDINGS[0], Finding(4, "Caches", told)]
    three = "Mixers reach 9.1x throughput, caches carry foxes."
    two = "Mixers reach 9.1x throughput, caches carry."
    assert summary(three, findings=findings) == [Sentence(three, (1, 4), 0.8)]
    assert summary(two, findings=findings) == []


@pytest.mark.parametrize(("right", "stays"), [(0.1, True), (0.0, False), (-1.0, False)])
def test_a_summary_that_the_reader_calls_wrong_is_none(right: float, stays: bool) -> None:
    reader = judge(right)
    assert summary(BOTH, reader=reader) == ([Sentence(BOTH, (1, 2), 0.8)] if stays else [])
    (asked,) = reader.asked
    assert asked.endswith(
        "\n[1] Monarch Mixer: Mixers reach 9.1x throughput."
        "\n[2] Retro-Li: Retro-Li retrieves from a small memory.\n\n"
        f"Question: What do they do?\nProposed answer: {BOTH}\nIs this answer right? Yes or no:"
    )


def test_a_summary_of_which_nothing_stood_is_not_judged() -> None:
    reader = judge(1.0)
    assert summary("Retro-Li retrieves from a small memory.", reader=reader) == []
    assert reader.asked == []
