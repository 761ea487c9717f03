"""HTTP in OpenAI's form: any client of `/v1/chat/completions` can ask, without knowing Citewise.

A request is read as a question with its history, an `Answer` written as a chat completion: the message holds
verified text only, its sources listed under it; the field `citewise` holds the whole answer.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from rag.errors import CitewiseError, InvalidRequest, NotFound
from rag.serve.admission import unless_gone
from rag.serve.problems import problem_of
from rag.serve.routes import streamed
from rag.serve.service import Service
from rag.text.clean import clean
from rag.types import Answer, Citation, DraftToken, Event, Finished, Turn

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


def router(service: Service) -> APIRouter:
    """The routes over one service."""
    routes = APIRouter(prefix="/v1", tags=["openai"])

    @routes.post("/chat/completions")
    async def complete(body: ChatBody, request: Request) -> Response:
        """Answer the last user message; the messages before it are its history."""
        question, history = conversation_of(body.messages)
        identity, created = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())
        if body.stream:
            events = service.events(question, history)
            return await streamed(events, request, encoder(identity, created), error_sse)
        answer = await unless_gone(service.answer(question, history), request.is_disconnected)
        return JSONResponse(completion_of(answer, identity, created))

    @routes.get("/models")
    async def models() -> Response:
        """The one model there is."""
        return JSONResponse(model_list())

    @routes.get("/models/{name}")
    async def model(name: str) -> Response:
        """The one model there is, by its name."""
        found = [each for each in model_list()["data"] if each["id"] == name]
        if not found:
            raise NotFound("There is no such model.", hint=f"Use {MODEL!r}.")
        return JSONResponse(found[0])

    return routes


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


def encoder(identity: str, created: int) -> Callable[[Event], bytes]:
    """Events as chunks. Of a draft nothing is told but that the line is alive."""
    spoke = False

    def encode(event: Event) -> bytes:
        nonlocal spoke
        if isinstance(event, Finished):
            chunks = chunks_of(event.answer, identity, created)
            return b"".join(map(_data, chunks)) + format_sse_event(data_str="[DONE]")
        if isinstance(event, DraftToken) or spoke:
            return KEEPALIVE_COMMENT
        spoke = True
        return _data(first_chunk(identity, created))

    return encode


def error_sse(error: CitewiseError) -> bytes:
    """An error after the stream has begun, where OpenAI's clients look for it."""
    return _data(problem_of(error, openai=True))


def model_list() -> dict[str, Any]:
    """What can be asked."""
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "citewise"}
    return {"object": "list", "data": [model]}


def _chunk(delta: dict[str, str], finish: str | None, identity: str, created: int) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {**_head("chat.completion.chunk", identity, created), "choices": [choice]}


def _head(kind: str, identity: str, created: int) -> dict[str, Any]:
    return {"id": identity, "object": kind, "created": created, "model": MODEL}


def _data(record: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(record))
