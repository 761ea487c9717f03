"""Who may ask: hosts, origins, tokens, sizes, rates."""

from __future__ import annotations

import asyncio

import pytest
from serving import TOKEN

from rag.web.guard import AccessRules, Guard, Reason, Refusal, RequestHead, host_of, is_known, refusal

LOOPBACK = AccessRules()
WITH_TOKEN = AccessRules(token=TOKEN, open_paths=frozenset({"/healthz"}))
ON_ALL = AccessRules(frozenset({"localhost", "papers.example.org"}), TOKEN, public=True)
PAGE = AccessRules(
    body_bytes_max=1000,
    larger_bodies={"/upload": 5000},
    unchecked_methods=frozenset({"GET"}),
    length_required=True,
)
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost:8000", "localhost"), ("LOCALHOST", "localhost"), ("[::1]:8000", "::1"),
        ("127.0.0.1", "127.0.0.1"), ("", ""), ("[::1", ""), ("a@localhost", "localhost"),
    ],
)  # fmt: skip
def test_the_host_of_a_header(header: str, host: str) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize(
    ("host", "rules", "known"),
    [
        ("localhost", LOOPBACK, True),
        ("::1", LOOPBACK, True),
        ("evil.example", LOOPBACK, False),
        ("localhost.evil.example", LOOPBACK, False),
        ("10.0.0.9", LOOPBACK, False),
        ("", LOOPBACK, False),
        ("papers.example.org", ON_ALL, True),
        ("10.0.0.9", ON_ALL, True),
        ("evil.example", ON_ALL, False),
    ],
)
def test_names_it_answers_to(host: str, rules: AccessRules, known: bool) -> None:
    assert is_known(host, rules) is known


@pytest.mark.parametrize(
    ("rules", "path", "headers", "reason"),
    [
        (LOOPBACK, "/v1/ask", {}, None),
        (LOOPBACK, "/v1/ask", {"host": "evil.example"}, "host"),
        (LOOPBACK, "/healthz", {"host": "evil.example"}, "host"),
        (LOOPBACK, "/v1/ask", {"origin": "http://localhost:8000"}, None),
        (LOOPBACK, "/v1/ask", {"origin": "http://localhost:9999"}, "origin"),
        (LOOPBACK, "/v1/ask", {"origin": "https://evil.example"}, "origin"),
        (LOOPBACK, "/v1/ask", {"origin": "null"}, "origin"),
        (LOOPBACK, "/v1/ask", {"origin": "http://[::1"}, "origin"),
        (WITH_TOKEN, "/v1/ask", {}, "token"),
        (WITH_TOKEN, "/healthz", {}, None),
        (WITH_TOKEN, "/metrics", {}, "token"),
        (WITH_TOKEN, "/v1/ask", BEARER, None),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"bearer {TOKEN}"}, None),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Basic {TOKEN}"}, "token"),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Bearer {TOKEN}x"}, "token"),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Bearer {TOKEN[:-1]}"}, "token"),
        (WITH_TOKEN, "/v1/ask", {"authorization": "Bearer \xff"}, "token"),
        (WITH_TOKEN, "/v1/ask", {"authorization": "Bearer "}, "token"),
        (LOOPBACK, "/v1/ask", {"content-length": "1048576"}, None),
        (LOOPBACK, "/v1/ask", {"content-length": "1048577"}, "size"),
        (LOOPBACK, "/v1/ask", {"content-length": "9" * 5000}, "size"),
    ],
)
def test_refusals(rules: AccessRules, path: str, headers: dict[str, str], reason: Reason | None) -> None:
    refused = refusal(RequestHead("POST", path, {"host": "localhost:8000", **headers}), rules)
    assert (refused.reason if refused else None) == reason


@pytest.mark.parametrize(
    ("method", "path", "headers", "refused"),
    [
        ("GET", "/", {"origin": "https://evil.example"}, None),
        ("GET", "/", {"host": "evil.example"}, Refusal("host")),
        ("POST", "/", {"origin": "https://evil.example", "content-length": "1"}, Refusal("origin")),
        ("POST", "/", {"origin": "http://localhost:8000", "content-length": "1"}, None),
        ("POST", "/", {}, Refusal("no_length")),
        ("POST", "/", {"content-length": "\xb2"}, Refusal("no_length")),
        ("POST", "/", {"content-length": "1000"}, None),
        ("POST", "/", {"content-length": "1001"}, Refusal("size", 1000)),
        ("POST", "/upload", {"content-length": "5000"}, None),
        ("POST", "/upload", {"content-length": "5001"}, Refusal("size", 5000)),
    ],
)
def test_a_page_is_read_freely_and_posts_are_looked_at(
    method: str, path: str, headers: dict[str, str], refused: Refusal | None
) -> None:
    head = RequestHead(method, path, {"host": "localhost:8000", **headers})
    assert refusal(head, PAGE) == refused


def test_websockets_are_closed() -> None:
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    guard = Guard(None, LOOPBACK, headers=lambda _: (), respond=lambda *_: None)
    asyncio.run(guard({"type": "websocket"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
