"""A follow-up as a reader would ask it alone: what it is asked, and which rewrites are not taken."""

from __future__ import annotations

import pytest
from langchain_core.messages import BaseMessage

from rag.generate.rewrite import Rewriting, checked
from rag.query.condense import Condenser
from rag.query.spelling import Spelling
from rag.types import Question, Turn

TURNS = [Turn("user", "What does Retro-Li do?"), Turn("assistant", "Retro-Li retrieves passages [1].")]
SAID = "User: What does Retro-Li do?\nAssistant: Retro-Li retrieves passages."
FOLLOWS = "How many tokens did it use?"


class Writer:
    """Writes what the test says; `asked` keeps what it was asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.asked: list[str] = []

    def write(self, conversations: list[list[BaseMessage]]) -> list[str]:
        self.asked += [str(messages[-1].content) for messages in conversations]
        return [self._text for _ in conversations]


def test_the_reader_is_asked_behind_the_conversation() -> None:
    writer = Writer(" How many tokens did Retro-Li use?\n")
    assert Rewriting(writer)(FOLLOWS, TURNS) == "How many tokens did Retro-Li use?"
    assert writer.asked == [f"Conversation:\n{SAID}\n\nQuestion: {FOLLOWS}"]


@pytest.mark.parametrize(
    ("rewrite", "taken"),
    [
        ("How many tokens did Retro-Li use?", "How many tokens did Retro-Li use?"),
        ("how many TOKENS, did it use", FOLLOWS),  # the same words: as it was written
        ("", None),
        ("...", None),
        ("How many tokens did GPT-4 use?", None),  # a name nobody said
        ("What total of training tokens did it use?", "What total of training tokens did it use?"),
        ("How many training tokens and layers did small Retro-Li use?", None),  # three words nobody said
        ("tokens " * 60, ("tokens " * 60)),
        ("tokens " * 61, None),
    ],
)  # fmt: skip
def test_a_rewrite_says_nothing_new(rewrite: str, taken: str | None) -> None:
    assert checked(rewrite, FOLLOWS, SAID) == taken


def condenser(text: str) -> tuple[Condenser, Writer]:
    writer = Writer(text)
    spelling = Spelling(frozenset(), lambda _: True, lambda _: 1.0)
    return Condenser(spelling, 4000, Rewriting(writer)), writer


def test_what_a_reader_wrote_stands_for_the_follow_up_and_tells_its_kind() -> None:
    stage, _ = condenser("Which papers use Retro-Li tokens?")
    found = stage(Question(FOLLOWS, tuple(TURNS)))
    assert (found.text, found.kind) == ("Which papers use Retro-Li tokens?", "collect")
    assert found.question.text == FOLLOWS


def test_where_the_rewrite_is_no_good_the_rules_decide() -> None:
    stage, _ = condenser("How many tokens did GPT-4 use?")
    assert stage(Question(FOLLOWS, tuple(TURNS))).text == "How many tokens did Retro-Li use?"


def test_a_word_that_points_back_is_not_left_as_it_is() -> None:
    stage, _ = condenser(FOLLOWS)
    assert stage(Question(FOLLOWS, tuple(TURNS))).text == "How many tokens did Retro-Li use?"
    alone = "How many tokens did InstructRetro use?"
    stage, _ = condenser(alone)
    assert stage(Question(alone, tuple(TURNS))).text == alone


def test_without_a_conversation_nobody_is_asked() -> None:
    stage, writer = condenser("Anything else?")
    assert stage(Question(FOLLOWS)).text == FOLLOWS
    assert stage(Question(" ", tuple(TURNS))).text == ""
    assert writer.asked == []
