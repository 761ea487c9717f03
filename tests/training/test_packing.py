"""Lessons are spelled as the product asks, and their first words count for more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from rag.index.paper_text import read_paper  # noqa: E402
from rag.models import openings  # noqa: E402
from rag.models.generator import LocalChatModel  # noqa: E402
from rag.types import Paper, Turn  # noqa: E402
from training.examples import Abstract  # noqa: E402
from training.lessons import Sheet  # noqa: E402
from training.openings import Dialogue, Findings  # noqa: E402
from training.packing import FIRST, LessonParts, Speller, packed  # noqa: E402
from training.sheets import Lesson  # noqa: E402

PAPER = Abstract("p", "Fast", ("It is fast.", "It is small."))
DIALOGUE = Dialogue("d", (Turn("user", "What is it?"), Turn("assistant", "A cat [1].")))
FINDINGS = Findings("f", (("One", "It is 5."), ("Two", "It is 6.")))
ASKED, STATED = Lesson("plain", "Why?", "So."), Lesson("statement", "Why?", "No.", "Because.")


class Letters:
    """A tokenizer with a token a character."""

    eos_token_id = 0

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [ord(character) for character in text]}

    def apply_chat_template(self, turns: Any, **_: object) -> str:
        said = "".join(f"<{turn['role']}>{turn['content']}</>" for turn in turns)
        return f"{said}<assistant>"

    def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
        return "".join(map(chr, tokens))


def product(opening: openings.Opening, rest: str) -> tuple[str, str]:
    """What the product reads, by the same template."""
    model = LocalChatModel(model_folder="none")
    model._decoder = SimpleNamespace(prompt=Letters().apply_chat_template)  # type: ignore[assignment]
    split = model.prompt_parts(openings.conversation(opening, rest))
    return split.opening, split.rest


@pytest.mark.parametrize(
    ("before", "opening"),
    [
        (PAPER, openings.of_text(read_paper(Paper("p", PAPER.title, PAPER.text)))),
        (DIALOGUE, openings.of_conversation(DIALOGUE.turns)),
        (FINDINGS, openings.of_findings(FINDINGS.told)),
    ],
)
@pytest.mark.parametrize(
    ("lesson", "rest"), [(ASKED, openings.asked("Why?")), (STATED, openings.proposed("Why?", "Because."))]
)
def test_a_lesson_is_spelled_as_the_product_asks(
    before: Any, opening: openings.Opening, lesson: Lesson, rest: str
) -> None:
    speller = Speller(Letters())
    spelled = (speller.text(speller.paper(before)), speller.text(speller.asked(lesson)))
    expected = product(opening, rest)
    assert spelled == tuple(text.strip() for text in expected)
    assert speller.asked(lesson)[:2] == [10, 10]  # an empty line before the question


def test_an_answer_ends_the_turn() -> None:
    parts = Speller(Letters()).parts(ASKED)
    assert parts.answer == [*map(ord, "So."), 0]


def test_the_first_word_of_an_answer_counts_for_three() -> None:
    pack = packed([5, 6], [LessonParts([7], [8, 9, 2]), LessonParts([7], [3])])
    assert FIRST == 3.0
    assert pack.weights.tolist() == [3.0, 1.0, 1.0, 3.0]
    assert pack.weights.shape == pack.wanted.shape == pack.places.shape


def test_a_sheet_is_one_sequence() -> None:
    speller = Speller(Letters())
    pack = speller.pack(Sheet(PAPER, (ASKED, STATED)))
    told = speller.paper(PAPER)
    assert pack.ids[0, : len(told)].tolist() == told
    assert pack.wanted.tolist() == [*map(ord, "So."), 0, *map(ord, "No."), 0]
    assert pack.positions.shape == pack.ids.shape
