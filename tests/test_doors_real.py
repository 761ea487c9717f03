"""The real assistant behind every door: the command line, HTTP and the clients of others tell one answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import OFF_CORPUS
from mcp import Client
from serving import server
from typer.testing import CliRunner

from rag.assistant import Assistant
from rag.cli import main
from rag.serve.openai import message_of
from rag.settings import Settings
from rag.types import Answer

pytestmark = pytest.mark.slow

QUESTIONS = [
    "How much higher throughput does Monarch Mixer achieve at sequence length 4K?",
    "Which papers work on linear attention?",
    OFF_CORPUS,
]


@pytest.fixture(scope="module")
def assistant(model_cache: Path) -> Assistant:
    return Assistant.open(settings=Settings.load(cache_dir=model_cache))


def public(record: dict[str, Any]) -> dict[str, Any]:
    """The JSON of an answer without its times."""
    return {name: value for name, value in json.loads(json.dumps(record)).items() if name != "timings"}


async def by_agent(url: str, question: str) -> dict[str, Any]:
    async with Client(f"{url}/mcp", read_timeout_seconds=120) as client:
        result = await client.call_tool("ask_papers", {"question": question})
        assert result.structured_content is not None
        return result.structured_content


def by_openai(url: str, question: str, answer: Answer, *, stream: bool) -> dict[str, Any]:
    from openai import OpenAI

    completions = OpenAI(base_url=f"{url}/v1", api_key="unused").chat.completions
    asked: Any = {"model": "citewise", "messages": [{"role": "user", "content": question}]}
    if not stream:
        whole = completions.create(**asked)
        assert whole.choices[0].message.content == message_of(answer)
        return whole.citewise
    chunks = list(completions.create(**asked, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == message_of(answer)
    return chunks[-1].citewise


def by_langchain(url: str, question: str) -> str:
    from langchain_core.output_parsers import StrOutputParser
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="citewise")
    return (model | StrOutputParser()).invoke(question)


def by_batch(url: str, web: httpx.Client) -> list[dict[str, Any]]:
    taken = web.post(f"{url}/v1/batch", json={"questions": QUESTIONS}).json()
    for _ in range(600):
        if web.get(f"{url}/v1/batch/{taken['id']}").json()["status"] == "done":
            break
        web.get(f"{url}/v1/search", params={"query": "linear attention"}).raise_for_status()
    return [json.loads(line) for line in web.get(url + taken["result"]).text.splitlines()]


def test_every_door_tells_the_answer_of_the_command_line(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "open_assistant", lambda *_: assistant)
    statuses = []
    with server(assistant) as url, httpx.Client(trust_env=False, timeout=120) as web:
        for question, batched in zip(QUESTIONS, by_batch(url, web), strict=True):
            told = CliRunner().invoke(main.app, ["ask", "--json", question]).stdout
            expected = public(json.loads(told))
            answer = assistant.as_runnable().invoke(question)
            assert public(answer.to_dict()) == expected
            assert public(web.post(f"{url}/v1/ask", json={"question": question}).json()) == expected
            assert public(by_openai(url, question, answer, stream=False)) == expected
            assert public(by_openai(url, question, answer, stream=True)) == expected
            assert public(asyncio.run(by_agent(url, question))) == expected
            assert by_langchain(url, question) == message_of(answer)
            assert {**public(batched), "id": None} == expected
            statuses.append((answer.status, bool(answer.citations)))
    assert {("answered", True), ("quoted", True)} & set(statuses)
    assert ("abstained", False) in statuses
