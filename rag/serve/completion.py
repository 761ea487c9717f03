"""An `Answer` as a chat completion in OpenAI's form, and such a request as a question with its history.

The message holds verified text only, its sources listed under it; the field `citewise` holds the whole
answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import InvalidRequest
from rag.text.clean import clean
from rag.types import Answer, Citation, Turn

MODEL = "citewise"
_SOURCES = "\n\nSources:\n"
_PIECE = re.compile(r"\S+\s*|\s+")


class ContentPart(BaseModel):
    """A part of a message; only text can be read."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message of the conversation. System messages are accepted and not obeyed."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """The words of the message.

        :raises InvalidRequest: if it holds something else.
        """
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        if any(part.type != "text" for part in self.content):
            raise InvalidRequest("A message holds a part that is not text.", hint="Send text only.")
        return "\n".join(part.text for part in self.content)


class ChatBody(BaseModel):
    """A request in OpenAI's form. Options that steer a model (temperature, tools, ...) have no effect."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {"model": MODEL, "messages": [{"role": "user", "content": "What is Monarch Mixer?"}]}
            ]
        },
    )
    messages: list[ChatMessage] = Field(min_length=1)
    model: str = MODEL
    stream: bool = False
    n: int | None = Field(default=None, le=1)


def conversation_of(messages: Sequence[ChatMessage]) -> tuple[str, tuple[Turn, ...]]:
    """The question, which is the last user message, and what was said before it.

    :raises InvalidRequest: if the last message with words is not the user's.
    """
    said = [(m.role, m.text()) for m in messages if m.role in ("user", "assistant")]
    if not said or said[-1][0] != "user":
        raise InvalidRequest("The last message is not the user's.", hint="End `messages` with a question.")
    *before, (_, question) = said
    turns = (
        Turn("user", text) if role == "user" else Turn("assistant", without_sources(text))
        for role, text in before
        if text.strip()
    )
    return question, tuple(turns)


def message_of(answer: Answer) -> str:
    """The answer for a chat: its text, and under it the cited papers with the sentences that carry it."""
    if answer.abstention is not None:
        closest = "".join(f"\n- {clean(title)}" for title in answer.abstention.closest)
        return answer.abstention.message + (f"\n\nClosest papers:{closest}" if closest else "")
    sources = "\n".join(map(_source, answer.citations))
    return f"{answer.text}{_SOURCES}{sources}" if sources else answer.text


def without_sources(message: str) -> str:
    """An earlier message of ours as it was answered: a follow-up must not be read against its sources."""
    return message.partition(_SOURCES)[0]


def _source(citation: Citation) -> str:
    year = f" ({citation.year})" if citation.year else ""
    url = f" {citation.url}" if citation.url else ""
    quotes = "".join(f"\n    “{clean(quote.text)}”" for quote in citation.quotes)
    return f"[{citation.key}] {clean(citation.title)}{year}{url}{quotes}"


def completion_of(answer: Answer, identity: str, created: int) -> dict[str, Any]:
    """The whole answer at once."""
    message = {"role": "assistant", "content": message_of(answer)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**_head("chat.completion", identity, created), "choices": [choice], "citewise": answer.to_dict()}


def first_chunk(identity: str, created: int) -> dict[str, Any]:
    """Who speaks; sent when the question has its turn."""
    return _chunk({"role": "assistant", "content": ""}, None, identity, created)


def chunks_of(answer: Answer, identity: str, created: int) -> Iterator[dict[str, Any]]:
    """The verified message word by word, then the end with the whole answer."""
    for piece in _PIECE.findall(message_of(answer)):
        yield _chunk({"content": piece}, None, identity, created)
    yield {**_chunk({}, "stop", identity, created), "citewise": answer.to_dict()}


def models() -> dict[str, Any]:
    """What can be asked."""
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "citewise"}
    return {"object": "list", "data": [model]}


def _chunk(delta: dict[str, str], finish: str | None, identity: str, created: int) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**_head("chat.completion.chunk", identity, created), "choices": [choice]}


def _head(kind: str, identity: str, created: int) -> dict[str, Any]:
    return {"id": identity, "object": kind, "created": created, "model": MODEL}
