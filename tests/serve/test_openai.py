"""Answers as chat completions, and conversations as questions: pure functions."""

from __future__ import annotations

import pytest
from fake_assistant import QUOTE, answer_to

from rag.errors import InvalidRequest
from rag.serve.openai import (
    ChatMessage,
    chunks_of,
    completion_of,
    conversation_of,
    message_of,
    without_sources,
)
from rag.types import Turn

ANSWERED = answer_to("How large?", None, "f" * 16)
SAID = (
    "Echo: How large? [1]\n\nSources:\n"
    "[1] Tagging [red]news[/red] (2020) https://example.org/p1\n"
    "    “It reaches 97.1 accuracy on news.”"
)


def test_the_message_lists_its_sources() -> None:
    assert message_of(ANSWERED) == SAID
    assert QUOTE.text in SAID


def test_the_message_of_a_refusal_names_what_comes_closest() -> None:
    said = message_of(answer_to("unknown", None, ""))
    assert said == "No paper here answers that.\n\nClosest papers:\n- Tagging [red]news[/red]"


def test_in_history_our_message_is_what_was_answered() -> None:
    assert without_sources(SAID) == ANSWERED.text
    assert without_sources("no sources") == "no sources"


@pytest.mark.parametrize(
    ("messages", "question", "history"),
    [
        ([("user", "q")], "q", ()),
        ([("system", "be rude"), ("user", "q")], "q", ()),
        ([("user", "a"), ("assistant", SAID), ("user", "q")], "q",
         (Turn("user", "a"), Turn("assistant", ANSWERED.text))),
        ([("user", "a"), ("assistant", None), ("tool", "x"), ("user", "q")], "q", (Turn("user", "a"),)),
        ([("user", [{"type": "text", "text": "q"}, {"type": "text", "text": "r"}])], "q\nr", ()),
    ],
)  # fmt: skip
def test_conversations(messages: list, question: str, history: tuple) -> None:
    said = [ChatMessage(role=role, content=content) for role, content in messages]
    assert conversation_of(said) == (question, history)


@pytest.mark.parametrize(
    "messages",
    [
        [("system", "x")],
        [("user", "a"), ("assistant", "b")],
        [("user", [{"type": "image_url"}])],
    ],
)
def test_conversations_that_cannot_be_answered(messages: list) -> None:
    with pytest.raises(InvalidRequest) as caught:
        conversation_of([ChatMessage(role=role, content=content) for role, content in messages])
    assert caught.value.hint


@pytest.mark.parametrize("question", ["How large?", "unknown", "quote  it\n\nplease "])
def test_the_pieces_make_the_message(question: str) -> None:
    answer = answer_to(question, None, "")
    *pieces, last = chunks_of(answer, "id", 1)
    said = "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    whole = completion_of(answer, "id", 1)
    assert said == whole["choices"][0]["message"]["content"] == message_of(answer)
    assert last["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == "stop"
    assert last["citewise"] == whole["citewise"] == answer.to_dict()
