"""The commands `citewise serve` and `citewise mcp`."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import terminal
from rag.cli.plugins import reported
from rag.errors import SettingsError
from rag.web.addresses import LOOPBACK_NAMES, is_loopback, listen, url_of

if TYPE_CHECKING:
    from rag.ports import BrowsableAnswers
    from rag.settings import Settings
    from rag.web.guard import AccessRules

TOKEN_VARIABLE = "CITEWISE_TOKEN"  # noqa: S105 - a name, not a token
_TOKEN_CHARS_MIN = 16
_GOODBYE_S = 5

Papers = Annotated[str | None, typer.Option("--papers", help="A file or folder of papers to answer over.")]
Collection = Annotated[str, typer.Option("--collection", help="The collection of papers.")]
Strict = Annotated[bool, typer.Option("--strict", help="Fully supported sentences only.")]
Token = Annotated[
    str | None,
    typer.Option(envvar=TOKEN_VARIABLE, help="What callers must send: Authorization: Bearer TOKEN."),
]


def open_assistant(papers: str | None, collection: str, settings: Settings) -> BrowsableAnswers:
    """The assistant behind the server, its progress on standard error; tests put a fake here."""
    from rag.assistant import Assistant

    with terminal.progress(terminal.messages(), bars=False) as report:
        return Assistant.open(
            papers=papers, collection=collection, settings=settings, progress=report, preload=True
        )


@reported
def serve(  # noqa: PLR0913
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    token: Token = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="A further name it is called by.")] = None,
    papers: Papers = None,
    collection: Collection = "default",
    strict: Strict = False,
    jobs: Annotated[
        Path | None, typer.Option(help="A folder where batches outlive the server (else they end with it).")
    ] = None,
) -> None:
    """Serve HTTP: /v1/ask, /v1/search, /v1/batch, /v1/chat/completions (OpenAI), /mcp (agents)."""
    import uvicorn

    from rag.cli.doctor import version
    from rag.serve.app import Options, build_app
    from rag.serve.limits import Limits
    from rag.settings import Settings

    rules = rules_for(host, token, allow_host or [])
    settings = Settings.load(strict=True) if strict else Settings.load()
    options = Options(rules, Limits.load(), settings.question_chars_max, jobs)
    listener = listen(host, port)
    server = build_app(partial(open_assistant, papers, collection, settings), options, version())
    config = uvicorn.Config(
        server,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    where = url_of(listener)
    terminal.messages().print(f"Citewise is on {where} (routes: {where}/openapi.json; Ctrl-C stops it)")
    uvicorn.Server(config).run(sockets=[listener])


@reported
def mcp(*, papers: Papers = None, collection: Collection = "default", strict: Strict = False) -> None:
    """Serve tools to an agent over standard input and output (Model Context Protocol)."""
    from mcp.server import MCPServer

    from rag.cli.doctor import version
    from rag.serve.limits import Limits
    from rag.serve.mcp import build_tools
    from rag.serve.service import Service
    from rag.settings import Settings
    from rag.web.opening import LoadingAssistant

    settings = Settings.load(strict=True) if strict else Settings.load()
    loading = LoadingAssistant(lambda _: open_assistant(papers, collection, settings))
    service = Service(
        partial(loading.opened, None), Limits.load(), question_chars_max=settings.question_chars_max
    )

    @asynccontextmanager
    async def lifespan(_: MCPServer) -> AsyncIterator[None]:
        loading.start()
        yield
        service.admission.close()

    build_tools(service, version(), lifespan).run("stdio")


def rules_for(host: str, token: str | None, allow_host: list[str]) -> AccessRules:
    """Who may call a server on this address.

    :raises SettingsError: if others could reach it without a token, or the token is easily guessed.
    """
    from rag.web.guard import AccessRules

    public = not is_loopback(host)
    if public and not token:
        raise SettingsError(
            f"{host!r} can be reached from other machines, and there is no token.",
            hint=f"Set {TOKEN_VARIABLE} (for instance to the output of `openssl rand -hex 32`), or use "
            "--host 127.0.0.1 and an SSH tunnel.",
        )
    if token and (len(token) < _TOKEN_CHARS_MIN or not token.isascii() or not token.isprintable()):
        raise SettingsError(
            f"The token must be at least {_TOKEN_CHARS_MIN} printable ASCII characters.",
            hint="Use the output of `openssl rand -hex 32`.",
        )
    own = {host.lower(), socket.gethostname().lower()} if public else set()
    return AccessRules(LOOPBACK_NAMES | own | {name.lower() for name in allow_host}, token, public)
