"""HTTP in OpenAI's form: any client of `/v1/chat/completions` can ask, without knowing Citewise."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import JSONResponse, Response

from rag.errors import CitewiseError, NotFound
from rag.serve import completion
from rag.serve.admission import unless_gone
from rag.serve.problems import problem_of
from rag.serve.routes import streamed
from rag.serve.service import Service
from rag.types import DraftToken, Event, Finished


def router(service: Service) -> APIRouter:
    """The routes over one service."""
    routes = APIRouter(prefix="/v1", tags=["openai"])

    @routes.post("/chat/completions")
    async def complete(body: completion.ChatBody, request: Request) -> Response:
        """Answer the last user message; the messages before it are its history."""
        question, history = completion.conversation_of(body.messages)
        identity, created = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())
        if body.stream:
            events = service.events(question, history)
            return await streamed(events, request, encoder(identity, created), error_sse)
        answer = await unless_gone(service.answer(question, history), request.is_disconnected)
        return JSONResponse(completion.completion_of(answer, identity, created))

    @routes.get("/models")
    async def models() -> Response:
        """The one model there is."""
        return JSONResponse(completion.models())

    @routes.get("/models/{name}")
    async def model(name: str) -> Response:
        """The one model there is, by its name."""
        found = [each for each in completion.models()["data"] if each["id"] == name]
        if not found:
            raise NotFound("There is no such model.", hint=f"Use {completion.MODEL!r}.")
        return JSONResponse(found[0])

    return routes


def encoder(identity: str, created: int) -> Callable[[Event], bytes]:
    """Events as chunks. Of a draft nothing is told but that the line is alive."""
    spoke = False

    def encode(event: Event) -> bytes:
        nonlocal spoke
        if isinstance(event, Finished):
            chunks = completion.chunks_of(event.answer, identity, created)
            return b"".join(map(_data, chunks)) + format_sse_event(data_str="[DONE]")
        if isinstance(event, DraftToken) or spoke:
            return KEEPALIVE_COMMENT
        spoke = True
        return _data(completion.first_chunk(identity, created))

    return encode


def error_sse(error: CitewiseError) -> bytes:
    """An error after the stream has begun, where OpenAI's clients look for it."""
    return _data(problem_of(error, openai=True))


def _data(record: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(record))
