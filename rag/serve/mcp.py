"""Tools for agents (Model Context Protocol): ask the papers, search them, read one. All read-only.

An agent gets the answer as text with its sources, and the whole `Answer` as structured content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from rag.errors import CitewiseError
from rag.serve.openai import message_of
from rag.serve.schemas import (
    AnswerBody,
    Message,
    PaperBody,
    SearchResultBody,
    found_dict,
    paper_dict,
    turns_of,
)
from rag.serve.service import Service

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_FOUND_MAX = 20
_SNIPPET_CHARS = 1500
_ID_CHARS_MAX = 1000
_INSTRUCTIONS = (
    "Questions about a collection of paper abstracts. ask_papers answers with citations that were checked "
    "sentence by sentence, or says that the papers hold no answer: pass answer and citations on as they are."
)
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
Lifespan = Callable[[MCPServer], AbstractAsyncContextManager[None]]


def build_tools(service: Service, version: str, lifespan: Lifespan | None = None) -> MCPServer:
    """The tools over one service; `lifespan` opens what they need when nobody else does."""
    server: MCPServer = MCPServer(
        "citewise", title="Citewise", instructions=_INSTRUCTIONS, version=version, lifespan=lifespan,
        log_level="WARNING",
    )  # fmt: skip
    _add_ask(server, service)
    _add_papers(server, service)
    return server


def http_route(server: MCPServer) -> BaseRoute:
    """The tools over streamable HTTP at /mcp; hosts, token and sizes are checked before it."""
    from mcp.server.transport_security import TransportSecuritySettings

    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(json_response=True, stateless_http=True, transport_security=unguarded)
    return app.routes[0]


def _add_ask(server: MCPServer, service: Service) -> None:
    @server.tool(title="Ask the papers", annotations=_READ_ONLY)
    async def ask_papers(
        question: str, history: list[Message] | None = None
    ) -> Annotated[CallToolResult, AnswerBody]:
        """Answer a question from the papers; every sentence cites the papers that carry it."""
        with _told_to_agents():
            answer = await service.answer(question, turns_of(history or []))
        return _result(message_of(answer), answer.to_dict())


def _add_papers(server: MCPServer, service: Service) -> None:
    @server.tool(title="Search the papers", annotations=_READ_ONLY)
    async def search_papers(
        query: str,
        k: Annotated[int, Field(ge=1, le=_FOUND_MAX, description="How many papers.")] = 5,
    ) -> Annotated[CallToolResult, SearchResultBody]:
        """Find the papers that fit a query best, with the beginning of their abstracts."""
        with _told_to_agents():
            found = await service.search(query, k)
        results = {"results": [found_dict(each, abstract_chars_max=_SNIPPET_CHARS) for each in found]}
        return _result(json.dumps(results, ensure_ascii=False), results)

    @server.tool(title="Read a paper", annotations=_READ_ONLY)
    async def get_paper(
        paper_id: Annotated[str, Field(max_length=_ID_CHARS_MAX, description="As search_papers tells it.")],
    ) -> Annotated[CallToolResult, PaperBody]:
        """The title, abstract and metadata of one paper."""
        with _told_to_agents():
            paper = paper_dict(await service.paper(paper_id))
        return _result(json.dumps(paper, ensure_ascii=False), paper)


@contextmanager
def _told_to_agents() -> Iterator[None]:
    """Errors with their hints, as results that a model can read."""
    try:
        yield
    except CitewiseError as exc:
        raise ToolError(f"{exc.message} {exc.hint}") from exc


def _result(text: str, record: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=record)
