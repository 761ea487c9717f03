"""`citewise serve` and `citewise mcp`: who may call, what is refused, and both as real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fake_assistant import answer_to
from mcp import Client, StdioServerParameters
from serving import TOKEN
from typer.testing import CliRunner

from rag.cli import main
from rag.cli.servers import rules_for
from rag.errors import SettingsError
from rag.serve.limits import Limits
from rag.web.addresses import listen

FAKE = str(Path(__file__).parents[1] / "fake_assistant.py")
ROOT = str(Path(__file__).parents[2])


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": ROOT, **more}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_on_loopback_no_token_is_needed(host: str) -> None:
    rules = rules_for(host, None, [])
    assert (rules.token, rules.public) == (None, False)
    assert "localhost" in rules.names


def test_a_public_server_answers_to_its_names() -> None:
    rules = rules_for("0.0.0.0", TOKEN, ["Papers.example.org"])
    assert (rules.token, rules.public) == (TOKEN, True)
    assert {"localhost", "papers.example.org"} <= rules.names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "papers.example.org"])
def test_elsewhere_a_token_is_needed(host: str) -> None:
    with pytest.raises(SettingsError, match="no token") as caught:
        rules_for(host, None, [])
    assert "CITEWISE_TOKEN" in caught.value.hint


@pytest.mark.parametrize("token", ["short", "x" * 15, "ü" * 20, "x" * 20 + "\n"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_weak_token_is_refused(host: str, token: str) -> None:
    with pytest.raises(SettingsError, match="at least 16"):
        rules_for(host, token, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "CITEWISE_TOKEN"),
        (["--host", "0.0.0.0", "--token", "guess"], "at least 16"),
        (["--port", "70000"], "65535"),
    ],
)
def test_what_the_command_refuses(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main.app, ["serve", *arguments])
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_a_taken_port_is_refused() -> None:
    with listen("127.0.0.1", 0) as taken:
        result = CliRunner().invoke(main.app, ["serve", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "--port" in result.stderr


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_SERVE_DEADLINE_S", "7")
    assert Limits.load().deadline_s == 7
    monkeypatch.setenv("CITEWISE_SERVE_CONCURRENT", "many")
    with pytest.raises(SettingsError, match="concurrent"):
        Limits.load()
    with pytest.raises(SettingsError, match="nonsense"):
        Limits.load(concurrent=1, nonsense=1)


def test_serving_and_stopping(tmp_path: Path) -> None:
    command = [sys.executable, FAKE, "serve", "--port", "0", "--jobs", str(tmp_path / "jobs")]
    child = subprocess.Popen(
        command,
        env=environment(CITEWISE_TOKEN=TOKEN),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    url = child.stderr.readline().split()[3]
    with httpx.Client(trust_env=False, timeout=20) as web:
        assert web.get(f"{url}/healthz").status_code == 200
        assert web.post(f"{url}/v1/ask", json={"question": "x"}).status_code == 401
        web.headers["authorization"] = f"Bearer {TOKEN}"
        answered = web.post(f"{url}/v1/ask", json={"question": "x"})
        assert answered.json()["answer"] == "Echo: x [1]"
        assert web.post(f"{url}/v1/batch", json={"questions": ["x"]}).status_code == 202
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode in (0, 130, -signal.SIGINT), err
    assert "Traceback" not in err
    assert out == ""
    assert len(list((tmp_path / "jobs").glob("2*"))) == 1


def test_tools_over_standard_input_and_output() -> None:
    async def run() -> None:
        process = StdioServerParameters(command=sys.executable, args=[FAKE, "mcp"], env=environment())
        for mode in ("auto", "legacy"):
            async with Client(process, mode=mode) as client:
                tools = (await client.list_tools()).tools
                assert [tool.name for tool in tools] == ["ask_papers", "search_papers", "get_paper"]
                result = await client.call_tool("ask_papers", {"question": "How large?"})
                assert result.structured_content == answer_to("How large?", None, "f" * 16).to_dict()

    asyncio.run(run())
