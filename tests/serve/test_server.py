"""A real server on a real port, asked by the clients that people use."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fake_assistant import ABSTRACT, PAPER, FakeAssistant, answer_to
from mcp import Client
from serving import PUBLIC, TOKEN, Held, options, server, wait_until

from rag.serve.openai import message_of
from rag.types import Answer

QUESTIONS = ["How large?", "unknown", "quote it"]
HISTORY = [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A tagger [1]."}]
TOOLS = ["ask_papers", "search_papers", "get_paper"]


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture(scope="module")
def url(assistant: FakeAssistant) -> Iterator[str]:
    with server(assistant) as made:
        yield made


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as made:
        yield made


def openai_client(url: str, token: str = "unused") -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)


def expected(question: str) -> Answer:
    return answer_to(question, None, "f" * 16)


def public(question: str) -> Any:
    return json.loads(json.dumps(expected(question).to_dict()))


# -- OpenAI's client ------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
def test_openai(url: str, question: str) -> None:
    asked = {"model": "citewise", "messages": [{"role": "user", "content": question}]}
    whole = openai_client(url).chat.completions.create(**asked)
    assert whole.choices[0].message.content == message_of(expected(question))
    assert whole.citewise == public(question)
    chunks = list(openai_client(url).chat.completions.create(**asked, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == message_of(expected(question))
    assert "draft" not in said
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].citewise == public(question)


def test_openai_history(url: str, assistant: FakeAssistant) -> None:
    messages = [{"role": "system", "content": "x"}, *HISTORY, {"role": "user", "content": "And?"}]
    openai_client(url).chat.completions.create(model="citewise", messages=messages, temperature=0.7)
    assert [turn.content for turn in assistant.histories[-1]] == ["What is it?", "A tagger [1]."]
    assert assistant.asked[-1] == "And?"


def test_openai_models(url: str) -> None:
    from openai import NotFoundError

    assert [model.id for model in openai_client(url).models.list()] == ["citewise"]
    assert openai_client(url).models.retrieve("citewise").id == "citewise"
    with pytest.raises(NotFoundError, match="no such model"):
        openai_client(url).models.retrieve("gpt")


def test_openai_errors_carry_the_hint(url: str) -> None:
    from openai import AuthenticationError, UnprocessableEntityError

    asked = {"model": "citewise", "messages": [{"role": "user", "content": "x" * 4001}]}
    with pytest.raises(UnprocessableEntityError, match="Shorten it"):
        openai_client(url).chat.completions.create(**asked)
    with server(given=PUBLIC) as guarded:
        asked = {"model": "citewise", "messages": [{"role": "user", "content": "x"}]}
        with pytest.raises(AuthenticationError, match="bearer token"):
            openai_client(guarded).chat.completions.create(**asked)
        assert openai_client(guarded, TOKEN).chat.completions.create(**asked).citewise["status"] == "answered"


def test_openai_asynchronously(url: str) -> None:
    from openai import AsyncOpenAI

    async def run() -> str:
        client = AsyncOpenAI(base_url=f"{url}/v1", api_key="unused")
        messages = [{"role": "user", "content": "How large?"}]
        stream = await client.chat.completions.create(model="citewise", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(run()) == message_of(expected("How large?"))


# -- LangChain's client ---------------------------------------------------------------------------


def test_langchain(url: str) -> None:
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="citewise", max_retries=0)
    chain = ChatPromptTemplate.from_messages([("user", "{topic}?")]) | model | StrOutputParser()
    said = message_of(expected("How large?"))
    assert chain.invoke({"topic": "How large"}) == said
    assert "".join(chain.stream({"topic": "How large"})) == said
    assert chain.batch([{"topic": "How large"}] * 2) == [said, said]
    assert asyncio.run(chain.ainvoke({"topic": "How large"})) == said


# -- the official MCP client ----------------------------------------------------------------------


async def checked_tools(client: Client) -> None:
    """What holds over every transport."""
    tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == TOOLS
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert all(tool.annotations and tool.annotations.open_world_hint is False for tool in tools)
    assert all(tool.description and tool.output_schema for tool in tools)
    for question in QUESTIONS:
        result = await client.call_tool("ask_papers", {"question": question, "history": HISTORY})
        assert not result.is_error
        assert result.structured_content == public(question)
        assert result.content[0].text == message_of(expected(question))
    found = await client.call_tool("search_papers", {"query": "news", "k": 1})
    assert found.structured_content["results"][0]["abstract"] == ABSTRACT
    paper = await client.call_tool("get_paper", {"paper_id": "p1"})
    assert paper.structured_content["title"] == PAPER.title
    for name, arguments, told in [
        ("get_paper", {"paper_id": "none"}, "No paper has this id. GET"),
        ("ask_papers", {"question": "x" * 4001}, "Shorten it"),
        ("ask_papers", {"question": "x", "history": [{"role": "system", "content": "y"}]}, "role"),
        ("search_papers", {"query": "x", "k": 21}, "k"),
        ("search_papers", {}, "query"),
    ]:
        refused = await client.call_tool(name, arguments)
        assert refused.is_error
        assert told in refused.content[0].text


def test_mcp_over_http(url: str) -> None:
    async def run() -> None:
        for mode in ("auto", "legacy"):
            async with Client(f"{url}/mcp", mode=mode) as client:
                await checked_tools(client)

    asyncio.run(run())


def test_mcp_over_http_wants_the_token(web: httpx.Client) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async def run(url: str) -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS

    with server(given=options(PUBLIC, burst=100)) as url:
        assert web.post(f"{url}/mcp", json={}).status_code == 401
        asyncio.run(run(url))


# -- people who leave, and people who wait --------------------------------------------------------


def leave_early(url: str, body: dict[str, object]) -> None:
    """Ask, and close the connection after half a second or the first bytes."""
    with (
        httpx.Client(trust_env=False, timeout=0.5) as impatient,
        suppress(httpx.ReadTimeout),
        impatient.stream("POST", url, json=body) as told,
    ):
        next(told.iter_bytes())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "x"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    ],
)
def test_closing_the_connection_frees_the_work(
    path: str, body: dict, stream: bool, web: httpx.Client
) -> None:
    held = Held()
    with server(held) as url:
        leave_early(f"{url}{path}", {**body, "stream": stream})
        assert held.closed.acquire(timeout=5)
        wait_until(lambda: "citewise_running 0.0" in web.get(f"{url}/metrics").text)
        held.go.set()
        assert web.post(f"{url}/v1/ask", json={"question": "next"}).json()["status"] == "answered"
        assert held.asked == ["next"]


def test_who_leaves_the_queue_is_not_answered(web: httpx.Client) -> None:
    held = Held()
    with server(held) as url:
        asking = threading.Thread(target=lambda: web.post(f"{url}/v1/ask", json={"question": "first"}))
        asking.start()
        assert held.began.acquire(timeout=5)
        leave_early(f"{url}/v1/ask", {"question": "second", "stream": True})
        wait_until(lambda: "citewise_waiting 0.0" in web.get(f"{url}/metrics").text)
        held.go.set()
        asking.join(10)
        assert held.asked == ["first"]


def test_a_long_question_blocks_no_search_and_a_full_queue_says_so(web: httpx.Client) -> None:
    held = Held()
    with server(held, options(waiting_max=0)) as url:
        asking = threading.Thread(target=lambda: web.post(f"{url}/v1/ask", json={"question": "long"}))
        asking.start()
        assert held.began.acquire(timeout=5)
        for stream in (False, True):
            refused = web.post(f"{url}/v1/ask", json={"question": "x", "stream": stream})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            assert refused.json()["title"] == "TryLater"
        assert web.get(f"{url}/v1/search?query=news").json()["results"]
        assert web.get(f"{url}/v1/papers/p1").status_code == 200
        held.go.set()
        asking.join(10)


def test_a_server_stops_while_somebody_is_answered(web: httpx.Client) -> None:
    held = Held()

    def ask() -> None:
        with suppress(httpx.HTTPError):
            web.post(f"{url}/v1/ask", json={"question": "x"})

    with server(held) as url:
        asking = threading.Thread(target=ask)
        asking.start()
        assert held.began.acquire(timeout=5)
    assert held.closed.acquire(timeout=5)
    asking.join(10)


def test_raw_nonsense_is_answered(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    for sent in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\xff\r\n\r\n",
        b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(sent)
            assert line.recv(100).startswith(b"HTTP/1.1 4")
