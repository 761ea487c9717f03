"""What the generator asks of its decoder, and how often, whichever way LangChain asks."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda

from rag.generate.drafts import write_in_pieces, write_together
from rag.models.engines.decoder import Reading, Split
from rag.models.generator import LocalChatModel
from rag.models.openings import Opening, conversation


class CountingDecoder:
    """Repeats each prompt in capitals; `written` keeps every prompt it decoded."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.never_first: set[str] = set()
        self.read_prompts: list[Split] = []

    def prompt(self, turns: Sequence[dict[str, str]]) -> str:
        before = "".join(f"<{turn['role']}>{turn['content']}" for turn in turns[:-1])
        return f"{before}{turns[-1]['content']}"

    def count(self, text: str) -> int:
        return len(text.split())

    def write(
        self, prompts: Sequence[Split], stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> list[str]:
        self.never_first.add(never_first)
        texts = [prompt.opening + prompt.rest for prompt in prompts]
        self.written += texts
        return [text.upper() for text in texts]

    def pieces(
        self, prompt: Split, stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> Generator[str, None, None]:
        self.never_first.add(never_first)
        self.written.append(prompt.opening + prompt.rest)
        for word in self.written[-1].upper().split():
            yield f" {word}"

    def read(self, prompts: Sequence[Split], proposed: Sequence[str]) -> list[Reading]:
        self.read_prompts += prompts
        return [Reading(-1.0, tuple(float(len(word)) for word in proposed)) for _ in prompts]


CONVERSATIONS: list[list[BaseMessage]] = [[HumanMessage("one two")], [HumanMessage("three")]]


@pytest.fixture
def decoder() -> CountingDecoder:
    return CountingDecoder()


@pytest.fixture
def model(decoder: CountingDecoder) -> LocalChatModel:
    found = LocalChatModel(model_folder="none")
    found._decoder = decoder
    return found


def texts(model: LocalChatModel, conversations: list[list[BaseMessage]]) -> list[str]:
    return [text.strip() for text in write_together(model, conversations)]


@pytest.mark.parametrize("count", [1, 2])
def test_each_conversation_is_decoded_once(
    model: LocalChatModel, decoder: CountingDecoder, count: int
) -> None:
    assert texts(model, CONVERSATIONS[:count]) == ["ONE TWO", "THREE"][:count]
    assert decoder.written == ["one two", "three"][:count]


def test_a_model_with_nothing_to_say_says_so_either_way(
    model: LocalChatModel, decoder: CountingDecoder
) -> None:
    """A draft of nothing is quoted from, not an error."""
    silent: list[BaseMessage] = [HumanMessage("")]
    assert texts(model, [silent]) == [""]
    assert "".join(write_in_pieces(model, silent)) == ""


@pytest.mark.parametrize("count", [1, 2])
def test_each_is_decoded_once_where_events_are_watched(
    model: LocalChatModel, decoder: CountingDecoder, count: int
) -> None:
    """LangChain then streams behind `generate`, also what was decoded together."""
    chain: RunnableLambda[int, list[str]] = RunnableLambda(lambda n: texts(model, CONVERSATIONS[:n]))

    async def watched() -> list[Any]:
        return [event async for event in chain.astream_events(count, version="v2")]

    events = asyncio.run(watched())
    assert events[-1]["data"]["output"] == ["ONE TWO", "THREE"][:count]
    assert decoder.written == ["one two", "three"][:count]
    told = [event["data"]["chunk"].content for event in events if event["event"] == "on_chat_model_stream"]
    assert "".join("".join(told).split()) == ["ONETWO", "ONETWOTHREE"][count - 1]


# -- openings -------------------------------------------------------------------------------------

OPENING = Opening("Be brief.", "Title: One", kept=True)


def test_a_prompt_is_cut_where_its_opening_ends(model: LocalChatModel) -> None:
    asked = conversation(OPENING, "\n\nQuestion: two?")
    assert model.prompt_parts(asked) == Split("<system>Be brief.Title: One", "\n\nQuestion: two?")
    assert model.prompt_text(asked) == "<system>Be brief.Title: One\n\nQuestion: two?"


def test_what_will_not_be_read_again_says_so(model: LocalChatModel) -> None:
    asked = conversation(Opening("Be brief.", "Title: One"), " two")
    assert model.prompt_parts(asked) == Split("<system>Be brief.Title: One", " two", keeps=False)


def test_without_an_opening_a_prompt_is_one(model: LocalChatModel) -> None:
    asked = [SystemMessage("Be brief."), HumanMessage("Title: One")]
    assert model.prompt_parts(asked) == Split("", "<system>Be brief.Title: One")


@pytest.mark.parametrize(
    ("user", "rest", "parts"),
    [
        ("<|im_start|>x", "<|im_end|>y", ("< im_start >x", "< im_end >y")),
        ("a<|im_", "end|>b", ("a<|im_", "end|>b")),  # tokenised apart: neither half is a token of theirs
        ("\ue000cut\ue000", "\ue000", ("\ue000cut\ue000", "\ue000")),
        ("", "b", ("", "b")),
        ("a", "", ("a", "")),
    ],
)
def test_whatever_stands_in_a_paper_the_cut_is_where_the_opening_ends(
    model: LocalChatModel, user: str, rest: str, parts: tuple[str, str]
) -> None:
    found = model.prompt_parts(conversation(Opening("S.", user), rest))
    assert (found.opening, found.rest) == (f"<system>S.{parts[0]}", parts[1])


def test_what_may_not_come_first_is_told_either_way(decoder: CountingDecoder) -> None:
    model = LocalChatModel(model_folder="none", never_first="Not in this abstract.")
    model._decoder = decoder
    texts(model, CONVERSATIONS)
    list(model.stream(CONVERSATIONS[0]))
    assert decoder.never_first == {"Not in this abstract."}


def test_readings_are_of_prompts_in_two(model: LocalChatModel, decoder: CountingDecoder) -> None:
    asked = [conversation(OPENING, " two"), conversation(OPENING, " three")]
    assert model.readings(asked, ["Yes", "No"]) == [Reading(-1.0, (3.0, 2.0))] * 2
    assert decoder.read_prompts == [Split("<system>Be brief.Title: One", rest) for rest in (" two", " three")]
