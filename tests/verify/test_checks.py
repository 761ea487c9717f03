from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.verify.checks import veto
from rag.verify.direction import direction_differs
from rag.verify.names import unsupported_names
from rag.verify.negation import negation_differs

NAMES = [  # sentence, evidence, what is missing
    ("It beats GPT-4.", "It beats GPT-4 and Claude.", ()),
    ("It beats GPT-4.", "It beats GPT4.", ()),
    ("It beats GPT-4.", "It beats GPT-3.", ("GPT-4",)),
    ("It uses LoRA.", "Low-rank adapters (LoRA) are used.", ()),
    ("It uses LoRA.", "It uses DoRA.", ("LoRA",)),
    ("It follows DPO.", "It follows PPO.", ("DPO",)),
    ("Trained with DPO.", "Direct preference optimization is used.", ()),  # spelled out
    ("Trained with DPO.", "Direct policy learning is used.", ("DPO",)),
    ("It helps LLMs.", "An LLM is helped.", ()),
    ("It helps an LLM.", "LLMs are helped.", ()),
    ("It helps LLMs.", "Large language models are helped.", ()),
    ("CNNs read images.", "Convolutional Neural Networks (CNN) read images.", ()),
    ("Reasoning Control Fields help.", "RCF helps.", ()),
    ("It trains Low-Rank Adapters.", "Low-rank adapters are trained.", ()),
    ("The Monarch-Mixer is fast.", "Monarch Mixer is fast.", ()),
    ("MonarchMixer is fast.", "Monarch Mixer is fast.", ()),
    ("It is like FlashAttention's kernel.", "FlashAttention has a kernel.", ()),
    ("It is by Poincaré.", "A Poincare embedding.", ()),
    ("Paris is not the start.", "nothing", ()),  # a capital at the start says nothing
    ("It is from Paris.", "It is from London.", ("Paris",)),
    ("On NYUD-V2 it wins.", "It wins on NYUD-V2.", ()),
    ("It uses Llama-2-7B.", "It uses Llama-2-13B.", ("Llama-2-7B",)),
    ("It is 9.1x faster with 1.3B parameters.", "It is faster.", ()),  # numbers, another check
    ("It reads 3D scans.", "It reads scans.", ("3D",)),
    ("It uses Qwen2.5.", "It uses Qwen2.", ("Qwen2.5",)),
]


@pytest.mark.parametrize(("sentence", "evidence", "missing"), NAMES)
def test_unsupported_names(sentence, evidence, missing):
    assert unsupported_names(sentence, evidence) == missing


NEGATION = [
    ("It does not converge.", "It converges.", True),  # added
    ("It converges quickly.", "It does not converge quickly.", True),  # dropped
    ("It needs training data.", "It never needs training data.", True),
    ("It doesn't converge.", "It does not converge.", False),
    ("It can't converge.", "It converges.", True),
    ("The model works without extra training.", "The model works with extra training.", True),
    ("The model trains with extra labels.", "The model trains without extra labels.", True),
    ("No labels are used.", "Labels are used.", True),
    ("It works without labels.", "It eliminates the need for labels.", False),
    ("It is training-free.", "It works without training.", False),
    ("It generalises well.", "It generalises well. It is not slow.", False),
    ("It helps small models.", "It helps not only small models but large ones.", False),
    ("BREAD adaptively inserts hints.", "When traces fail, BREAD adaptively inserts hints.", False),
    ("FCKT has fine-grained control.", "Earlier methods lack fine-grained control.", False),
    ("It fails on long inputs.", "It succeeds on long inputs.", True),
    ("No, it helps.", "It helps.", True),  # nothing in the evidence says no
    ("", "", False),
]


@pytest.mark.parametrize(("sentence", "evidence", "differs"), NEGATION)
def test_negation_differs(sentence, evidence, differs):
    assert negation_differs(sentence, evidence) is differs


DIRECTION = [
    ("It increases cost.", "It decreases cost.", True),
    ("It increases cost.", "It reduces cost.", True),
    ("A higher error.", "A lower error.", True),
    ("A higher error.", "A lower error at higher speed.", False),
    ("It is supervised.", "It is unsupervised.", True),  # one is the other with a prefix
    ("It is unsupervised.", "It is supervised.", True),
    ("It is consistent.", "It is inconsistent.", True),
    ("Before training.", "After training.", True),
    ("In less detail.", "In lesser detail, with more scope.", False),
    ("It outperforms others.", "It outperforms the others.", False),
    ("It is fast.", "It is blue.", False),
    ("It holds outside the narrow distribution.", "It fails within the narrow distribution.", True),
    ("It holds outside and within it.", "It fails within it.", False),
    ("The encoder is frozen.", "The decoder is frozen.", True),
]


@pytest.mark.parametrize(("sentence", "evidence", "differs"), DIRECTION)
def test_direction_differs(sentence, evidence, differs):
    assert direction_differs(sentence, evidence) is differs


M2 = (
    "Monarch Mixer: A Simple Sub-Quadratic GEMM-Based Architecture\n"
    "M2 matches BERT-base in downstream GLUE quality with up to 27% fewer parameters, and achieves up to"
    " 9.1times higher throughput at sequence length 4K."
)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("M2 matches BERT-base with up to 27% fewer parameters.", None),
        ("Monarch Mixer achieves up to 9.1x higher throughput at length 4K.", None),
        ("M2 achieves 2.5x higher throughput.", "number not in the evidence: 2.5x"),
        ("M2 matches RoBERTa.", "name not in the evidence: RoBERTa"),
        ("M2 does not match BERT-base.", "negation differs from the evidence"),
        ("M2 has 27% more parameters.", "direction differs from the evidence"),
    ],
)
def test_fault_names_what_is_wrong(sentence, reason):
    assert veto(sentence, M2) == reason


def test_fault_of_exchanged_numbers():
    told = "MedGUIDE is built from 55 curated decision trees across 17 distinct cancer types."
    wrong = "MedGUIDE is built from 17 curated decision trees across 55 distinct cancer types."
    assert veto(told, told) is None
    assert str(veto(wrong, told)).startswith("number stands elsewhere in the evidence: 17")


@given(st.text(max_size=80), st.text(max_size=80))
def test_fault_never_raises(sentence, evidence):
    reason = veto(sentence, evidence)
    assert reason is None or " the evidence" in reason


@given(
    st.lists(st.sampled_from("M2 GPT-4 9.1x 27% not fewer higher than BERT and LLMs.".split()), max_size=12)
)
def test_a_text_has_no_fault_against_itself(words):
    text = " ".join(words)
    assert veto(text, text) is None
