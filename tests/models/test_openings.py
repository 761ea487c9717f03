"""What is read before a question, to the word (whole prompts: test_golden_prompt.py)."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

import prompts
from rag.errors import PromptError
from rag.index.paper_text import read_paper
from rag.models import openings
from rag.models.openings import NOT_TOLD, OPENING_ENDS, OPENING_KEPT, Opening, windows
from rag.types import Paper, PaperText, SentenceText, Turn


def test_a_conversation_tells_where_its_opening_ends() -> None:
    system, user = openings.conversation(Opening("Be brief.", "Title: A"), "\n\nQuestion: Why?")
    assert system == SystemMessage("Be brief.")
    assert isinstance(user, HumanMessage)
    assert user.content == "Title: A\n\nQuestion: Why?"
    assert user.content[: user.additional_kwargs[OPENING_ENDS]] == "Title: A"


def test_a_paper_is_read_without_its_blemishes_and_with_no_marks_of_ours() -> None:
    paper = Paper("p", "\\textit{Fast} [1]", "It reaches 9.1times more. So [2].")
    opening = openings.of_text(read_paper(paper))
    assert opening.user == "Title: Fast ［1］\nAbstract: It reaches 9.1x more. So ［2］."
    assert opening == openings.of_paper(paper.title, paper.abstract)


def test_what_a_paper_is_asked_for_is_said_as_it_is_meant_to_decline() -> None:
    assert NOT_TOLD in openings.of_paper("T", "A").system


def text_of(*lengths: int) -> PaperText:
    """Sentences of so many characters, each of a letter of its own."""
    told, start = [], 0
    for n, size in enumerate(lengths):
        told.append(SentenceText(start, start + size, chr(97 + n) * size))
        start += size + 1
    return PaperText("T", tuple(told))


@pytest.mark.parametrize(
    ("lengths", "spans"),
    [
        ((), [(0, 0)]),
        ((3000, 2998), [(0, 2)]),  # 3001 + 2999, each with its space: 6000
        ((3000, 2999), [(0, 1), (1, 2)]),
        ((9000, 5), [(0, 1), (1, 2)]),  # one sentence in any case
        ((1999,) * 5, [(0, 3), (1, 4), (2, 5)]),  # three fit; half of them are read again
        ((999,) * 10, [(0, 6), (3, 9), (6, 10)]),
    ],
)
def test_a_very_long_abstract_is_read_in_windows_that_overlap(
    lengths: tuple[int, ...], spans: list[tuple[int, int]]
) -> None:
    assert windows(text_of(*lengths)) == spans


@pytest.mark.parametrize(
    ("sentence", "told"),
    # windows 0-5, 3-8 and 6-9: the one in which a sentence stands least at the edge, else the first
    [(0, "abcdef"), (3, "abcdef"), (5, "defghi"), (6, "defghi"), (8, "ghij"), (9, "ghij")],
)
def test_of_windows_the_one_around_a_place_is_told(sentence: int, told: str) -> None:
    text = text_of(*(999,) * 10)
    for around in (text.sentences[sentence].start, text.sentences[sentence].end - 1):
        abstract = openings.of_text(text, around).user.partition("Abstract: ")[2]
        assert "".join(word[0] for word in abstract.split()) == told


def test_what_stands_before_any_place_is_told_by_default() -> None:
    assert openings.of_text(text_of(4000, 4000)) == openings.of_text(text_of(4000))
    assert openings.of_text(text_of()).user == "Title: T\nAbstract: "


def test_only_papers_are_worth_keeping() -> None:
    paper, talk, told = (
        openings.of_paper("T", "A"),
        openings.of_conversation([Turn("user", "Hm?")]),
        openings.of_findings([("T", "A.")]),
    )
    assert [one.kept for one in (paper, talk, told)] == [True, False, False]
    for one in (paper, talk):
        assert openings.conversation(one, "")[1].additional_kwargs[OPENING_KEPT] == one.kept


def test_of_a_conversation_the_last_three_rounds_are_told_without_marks() -> None:
    turns = [Turn("user" if n % 2 == 0 else "assistant", f"said {n} [1].") for n in range(8)]
    lines = openings.of_conversation(turns).user.split("\n")
    assert lines == [
        "Conversation:", "User: said 2.", "Assistant: said 3.", "User: said 4.", "Assistant: said 5.",
        "User: said 6.", "Assistant: said 7.",
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "cut"), [(60, False), (61, True)])
def test_a_long_turn_is_cut_at_sixty_words(count: int, cut: bool) -> None:
    told = openings.of_conversation([Turn("user", "word " * count)]).user
    assert told.count("word") == 60
    assert told.endswith(" ...") == cut


def test_findings_are_numbered() -> None:
    told = openings.of_findings([("First [9]", "It is 5."), ("Second", "It is 6.")])
    assert told.user == "[1] First ［9］: It is 5.\n[2] Second: It is 6."


def test_what_follows_an_opening() -> None:
    assert openings.asked("Why $a {b}?") == "\n\nQuestion: Why $a {b}?"
    assert openings.proposed("Why?", "So.") == (
        "\n\nQuestion: Why?\nProposed answer: So.\nIs this answer right? Yes or no:"
    )


def test_a_broken_prompt_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = prompts.PromptFileError("prompt 'paper_user': gone")

    def load(name: str) -> None:
        raise broken

    monkeypatch.setattr(prompts, "load", load)
    for ask in (lambda: openings.of_paper("T", "A"), lambda: openings.asked("Why?")):
        with pytest.raises(PromptError, match="'paper_user': gone") as caught:
            ask()
        assert caught.value.__cause__ is broken
        assert "prompts/" in caught.value.hint
