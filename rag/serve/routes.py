"""HTTP: questions as JSON or server-sent events, search, and the papers themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.sse import format_sse_event
from starlette.responses import JSONResponse, Response, StreamingResponse

from rag.batch.results import json_line
from rag.errors import CitewiseError
from rag.serve.admission import unless_gone
from rag.serve.problems import problem_of
from rag.serve.schemas import (
    AnswerBody,
    AskBody,
    PaperBody,
    PapersBody,
    SearchBody,
    SearchResultBody,
    example_answer,
    found_dict,
    paper_dict,
    turns_of,
)
from rag.serve.service import FOUND_MAX, PAGE_MAX, Service
from rag.types import DraftToken, Event, Finished

EVENT_STREAM = "text/event-stream"
Encode = Callable[[Event], bytes]
EncodeError = Callable[[CitewiseError], bytes]
_EVENTS = (
    "Or, with `stream`: `stage` {stage, at_s}, `draft` {text, verified: false} (what the model writes, "
    "before it is checked: never an answer), `answer` (the JSON as without `stream`), `error` (a problem)."
)


def router(service: Service) -> APIRouter:
    """The routes over one service."""
    routes = APIRouter(prefix="/v1")
    _add_questions(routes, service)
    _add_papers(routes, service)
    return routes


def _add_questions(routes: APIRouter, service: Service) -> None:
    @routes.post(
        "/ask",
        tags=["questions"],
        responses={
            200: {
                "model": AnswerBody,
                "description": f"The answer. {_EVENTS}",
                "content": {
                    "application/json": {"example": example_answer()},
                    EVENT_STREAM: {"schema": {"type": "string"}},
                },
            }
        },
    )
    async def ask(body: AskBody, request: Request) -> Response:
        """Answer one question; every sentence of the answer cites the papers that carry it."""
        told = turns_of(body.history)
        if body.stream or EVENT_STREAM in request.headers.get("accept", ""):
            return await streamed(service.events(body.question, told), request, sse_of, error_sse)
        answer = await unless_gone(service.answer(body.question, told), request.is_disconnected)
        return Response(json_line(answer), media_type="application/json")

    @routes.get("/search", tags=["papers"], responses={200: {"model": SearchResultBody}})
    async def search(
        query: Annotated[str, Query(examples=["linear attention"])],
        k: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 10,
    ) -> Response:
        """The papers that fit a query best; no model writes anything."""
        return JSONResponse({"results": [found_dict(found) for found in await service.search(query, k)]})

    @routes.post("/search", tags=["papers"], responses={200: {"model": SearchResultBody}})
    async def search_posted(body: SearchBody) -> Response:
        """The same, for queries that do not fit an address."""
        return await search(body.query, body.k)


def _add_papers(routes: APIRouter, service: Service) -> None:
    @routes.get("/papers", tags=["papers"], responses={200: {"model": PapersBody}})
    async def papers(
        after: Annotated[str, Query(description="`next` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
        words: Annotated[str, Query(max_length=200, description="Held by title or abstract.")] = "",
    ) -> Response:
        """Papers of the collection in the order of their ids, a page at a time."""
        found = await service.papers(after, limit + 1, words)
        page = found[:limit]
        return JSONResponse(
            {
                "papers": [paper_dict(paper) for paper in page],
                "next": page[-1].paper_id if len(found) > limit else None,
                "total": (await service.assistant()).papers_count,
            }
        )

    @routes.get("/papers/{paper_id:path}", tags=["papers"], responses={200: {"model": PaperBody}})
    async def paper(paper_id: str) -> Response:
        """One paper by its id; ids may hold slashes."""
        return JSONResponse(paper_dict(await service.paper(paper_id)))


async def streamed(
    events: AsyncIterator[Event], request: Request, encode: Encode, encode_error: EncodeError
) -> Response:
    """Server-sent events, once the question has its turn: until then a refusal can have its own status."""
    first = await unless_gone(anext(events), request.is_disconnected)

    async def body() -> AsyncIterator[bytes]:
        try:
            yield encode(first)
            async for event in events:
                yield encode(event)
        except CitewiseError as exc:
            yield encode_error(exc)

    return StreamingResponse(body(), media_type=EVENT_STREAM)


def error_sse(error: CitewiseError) -> bytes:
    """An error after the stream has begun."""
    return format_sse_event(event="error", data_str=json.dumps(problem_of(error)))


def sse_of(event: Event) -> bytes:
    """One event of an answer in the making, on the wire."""
    if isinstance(event, Finished):
        return format_sse_event(event="answer", data_str=json_line(event.answer))
    if isinstance(event, DraftToken):
        name, data = "draft", {"text": event.text, "verified": False}
    else:
        name, data = "stage", {"stage": event.stage, "at_s": round(event.at_s, 4)}
    return format_sse_event(event=name, data_str=json.dumps(data))
