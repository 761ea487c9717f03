"""How often the generator decodes, whichever way LangChain asks; over a decoder that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableLambda

from rag.generate.drafts import write_in_pieces, write_together
from rag.models.generator import LocalChatModel


class CountingDecoder:
    """Repeats each prompt in capitals; `written` keeps every prompt it decoded."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def prompt(self, turns: Sequence[dict[str, str]]) -> str:
        return turns[-1]["content"]

    def count(self, text: str) -> int:
        return len(text.split())

    def write(self, prompts: Sequence[str], stop: Sequence[str], tokens_max: int) -> list[str]:
        self.written += prompts
        return [prompt.upper() for prompt in prompts]

    def pieces(self, prompt: str, stop: Sequence[str], tokens_max: int) -> Generator[str, None, None]:
        self.written.append(prompt)
        for word in prompt.upper().split():
            yield f" {word}"


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
