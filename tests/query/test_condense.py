from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.query.condense import is_followup, phrases, standalone
from rag.types import Turn


def talk(*contents: str) -> list[Turn]:
    """Alternating turns, the person first."""
    return [Turn(("user", "assistant")[i % 2], content) for i, content in enumerate(contents)]


M2 = talk("How fast is Monarch Mixer at length 4K?", "It reaches 9.1x higher throughput than BERT [1].")
NAMELESS = talk("Does refusal training hold up in the past tense?", "No, CipherChat breaks it [1].")

REWRITTEN = [
    (M2, "How many parameters does it have?", "How many parameters does Monarch Mixer have?"),
    (M2, "and its quality?", "Monarch Mixer's quality?"),
    (M2, "Does it beat FlashAttention?", "Does Monarch Mixer beat FlashAttention?"),
    (M2, "How do they compare on GLUE?", "How do they compare on GLUE (Monarch Mixer)?"),
    (M2, "What memory is needed for that?", "What memory is needed for that (Monarch Mixer)?"),
    (M2, "Which dataset was used", "Which dataset was used (Monarch Mixer)"),
    # a fragment takes over what was asked
    (M2, "and BERT-large?", "BERT-large (fast Monarch Mixer length 4K)?"),
    (M2, "What about training?", "Training (fast Monarch Mixer length 4K)?"),
    # nothing was named in the question: its words, and the name the answer adds
    (NAMELESS, "Why so?", "Why so (refusal training hold past tense, CipherChat)?"),
    (NAMELESS, "Can it be fixed?", "Can it be fixed (refusal training hold past tense, CipherChat)?"),
]


@pytest.mark.parametrize(("history", "question", "expected"), REWRITTEN)
def test_a_follow_up_is_made_to_stand_alone(history, question, expected):
    assert standalone(question, history) == expected


ALONE = [
    "Can LLMs play chess?",
    "Do large language models sleep?",
    "What is contrastive learning?",
    "What is LoRA?",
    "How does knowledge distillation work?",
    "How many tokens does InstructRetro use?",
    "Is it possible to prune a model without data?",
    "Is there a method that prunes models without retraining?",
    "Which paper hides a number in a maths problem?",
    "How do large language models use their context in long documents?",
    "Did models differ in their performance on the ThinkGeo benchmark?",
    "How is the preference data organised when several annotators disagree?",
    "What happened to Claude 3 Opus when it was trained with reinforcement learning?",
    "Who won the world cup in 2018?",
    "",
    "?!",
]


@pytest.mark.parametrize("question", ALONE)
def test_what_stands_alone_is_not_changed(question):
    assert standalone(question, M2) == question


@pytest.mark.parametrize("question", [question for _, question, _ in REWRITTEN])
def test_without_a_conversation_nothing_is_changed(question):
    assert standalone(question, []) == question
    assert standalone(question, [Turn("assistant", "Welcome to Monarch Mixer.")]) == question


def test_a_follow_up_of_a_follow_up_reaches_the_first_question():
    history = talk("What is MeZO?", "An optimizer [1].", "How much memory does it save?", "Up to 12x [1].")
    assert standalone("Does it work for large models?", history) == "Does MeZO work for large models?"


def test_a_new_topic_is_the_topic():
    history = talk("What is MeZO?", "An optimizer.", "What is Retro-Li?", "A model.")
    assert standalone("How big is it?", history) == "How big is Retro-Li?"


def test_a_question_that_holds_the_topic_is_left_alone():
    history = talk("What is Monarch Mixer?", "An architecture.")
    assert standalone("And Monarch Mixer then?", history) == "And Monarch Mixer then?"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How fast is Monarch Mixer?", ["Monarch Mixer"]),
        ("How did JNLP do in SemEval-2025 Task 11?", ["JNLP", "SemEval-2025 Task 11"]),
        ("Does Electoral Votes help KeepKV?", ["KeepKV", "Electoral Votes"]),  # marked names first
        ("Compare RADD, EDLM and LLMs", ["RADD", "EDLM"]),  # many papers mention LLMs
        ("What is TaDA's cache?", ["TaDA"]),
        ("How well does 3D-CAVLA do with 7B models?", ["3D-CAVLA"]),
        ("nothing here", []),
    ],
)
def test_phrases(text, found):
    assert phrases(text) == found


def test_is_followup():
    assert is_followup("and the latency?")
    assert not is_followup("How many tokens does InstructRetro use?")


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=4))
def test_any_talk_gives_a_question_that_holds_the_words_asked(question, said):
    made = standalone(question, talk(*said))
    assert isinstance(made, str)
    if not is_followup(question):
        assert made == question


def test_a_long_conversation_is_answered_at_once():
    assert standalone("And then?", talk(*["And then?", "More."] * 2000)) == "And then?"
