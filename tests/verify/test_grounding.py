from __future__ import annotations

import pytest
from fakes import ConstantVerifier

from rag.types import Evidence, Paper
from rag.verify.grounding import DraftSentence, ground, reject_reason, split_draft

MIXER = Paper(
    "m", "Monarch Mixer", "Mixers reach 9.1x throughput at length 4K. They need 27% fewer parameters."
)
RETRO = Paper("r", "Retro-Li", "Retro-Li retrieves from a small memory. It is robust to noise.")
EVIDENCE = [
    Evidence(1, MIXER, 0, 42, 0.9),
    Evidence(1, MIXER, 43, 74, 0.9),
    Evidence(2, RETRO, 0, 39, 0.9),
]


class ByText:
    """Supports a claim by what is asked for, else not at all."""

    def __init__(self, supports: dict[str, float]) -> None:
        self._supports = supports

    def support(self, claims):
        return [
            next((s for part, s in self._supports.items() if part in evidence), 0.0) for _, evidence in claims
        ]


def kept(draft: str, question: str = "What is it like?", verifier=None, support_min: float = 0.5):
    found = ground(question, draft, EVIDENCE, verifier or ConstantVerifier(), support_min=support_min)
    return [(s.text, s.citations) for s in found.kept]


def reasons(draft: str, question: str = "What is it like?", verifier=None, support_min: float = 0.5):
    found = ground(question, draft, EVIDENCE, verifier or ConstantVerifier(), support_min=support_min)
    return [s.reason for s in found.dropped]


@pytest.mark.parametrize(
    ("draft", "parts"),
    [
        ("It is [1]. So [2].", [("It is.", (1,)), ("So.", (2,))]),
        ("It is. [1] So it goes. [2]", [("It is.", (1,)), ("So it goes.", (2,))]),
        ("It is [1][2], they say [2].", [("It is, they say.", (1, 2))]),
        ("- one thing [1]\n- another [2]", [("one thing", (1,)), ("another", (2,))]),
        ("1) First point [1]\n2) Second point", [("First point", (1,)), ("Second point", ())]),
        ("Answer: It is 9.1x [1] .", [("It is 9.1x.", (1,))]),
        ("[1]", []),
        ("  \n...\n", []),
        ("", []),
    ],
)
def test_split_draft(draft, parts):
    assert split_draft(draft) == [DraftSentence(text, keys) for text, keys in parts]


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Said already, in full.", "said before"),
        ("Is it so fast?", "a question, or says there is no answer"),
        ("The sources do not mention it.", "a question, or says there is no answer"),
        ("Not in this abstract.", "a question, or says there is no answer"),
        ("Very fast.", "a fragment"),
        ("9.1x.", None),  # a number may be the whole answer
        ("Mixers reach throughput quickly.", None),
    ],
)
def test_blemishes(sentence, reason):
    assert reject_reason("How are mixers?", sentence, {"said already, in full."}) == reason


def test_a_repetition_of_the_question_is_no_answer():
    assert reject_reason("How fast are mixers on GPUs?", "Mixers are fast on GPUs.", set()) is not None


def test_what_the_evidence_carries_stays_and_is_cited():
    assert kept("Mixers reach 9.1x throughput [1].") == [("Mixers reach 9.1x throughput.", (1,))]


def test_a_wrong_key_is_put_right_by_the_paper_that_carries_the_sentence():
    assert kept("Mixers reach 9.1x throughput [2].") == [("Mixers reach 9.1x throughput.", (1,))]
    assert kept("Mixers reach 9.1x throughput [9].") == [("Mixers reach 9.1x throughput.", (1,))]
    assert kept("Mixers reach 9.1x throughput.") == [("Mixers reach 9.1x throughput.", (1,))]


def test_of_two_papers_that_may_carry_it_the_better_one_is_cited():
    said = "A memory and mixers help greatly."
    assert kept(said, verifier=ByText({"Retro-Li": 0.9, "Monarch": 0.6})) == [(said, (2,))]
    assert kept(said, verifier=ByText({"Retro-Li": 0.6, "Monarch": 0.9})) == [(said, (1,))]


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("Mixers reach 2.5x throughput [1].", "number not in the evidence: 2.5x"),
        ("Mixers beat Mamba clearly [1].", "name not in the evidence: Mamba"),
        ("Mixers do not reach it [1].", "negation differs from the evidence"),
        ("They need 27% more parameters [1].", "direction differs from the evidence"),
    ],
)
def test_a_sentence_with_a_fault_falls_whatever_the_verifier_says(draft, reason):
    assert kept(draft) == []
    assert reasons(draft) == [reason]


def test_the_bar_itself_is_enough():
    said = "Mixers reach 9.1x throughput [1]."
    assert kept(said, verifier=ConstantVerifier(0.5), support_min=0.5) != []
    assert kept(said, verifier=ConstantVerifier(0.49), support_min=0.5) == []
    assert reasons(said, verifier=ConstantVerifier(0.49)) == ["the evidence does not carry it"]


def test_one_bad_sentence_does_not_take_the_others_along():
    draft = "Mixers reach 9.1x throughput [1]. Mixers reach 2.5x throughput [1]."
    assert kept(draft) == [("Mixers reach 9.1x throughput.", (1,))]
    assert len(reasons(draft)) == 1


def test_what_is_checked_are_the_sentences_that_carry_it():
    verifier = ConstantVerifier()
    assert kept("Mixers reach 9.1x throughput [1].", verifier=verifier) != []
    assert verifier.claims == [
        ("Mixers reach 9.1x throughput.", "Monarch Mixer\nMixers reach 9.1x throughput at length 4K.")
    ]


def test_what_one_sentence_denies_does_not_make_another_false():
    paper = Paper("p", "Sparse Caches", "Sparse caches halve the memory. They do not slow decoding down.")
    evidence = [Evidence(1, paper, 0, 31, 0.9), Evidence(1, paper, 32, 63, 0.9)]
    for said in ("Sparse caches halve the memory.", "They do not slow decoding down."):
        found = ground("What is it like?", said, evidence, ConstantVerifier(), support_min=0.5)
        assert [(s.text, s.citations) for s in found.kept] == [(said, (1,))]
    wrong = "Sparse caches do not halve memory."
    denied = ground("What is it like?", wrong, evidence, ConstantVerifier(), support_min=0.5)
    assert [s.reason for s in denied.dropped] == ["negation differs from the evidence"]


def test_an_empty_draft():
    assert ground("q", "", EVIDENCE, ConstantVerifier(), support_min=0.0).kept == ()
