"""Who may ask: hosts, origins, tokens, sizes, rates."""

from __future__ import annotations

import pytest
from serving import PUBLIC, TOKEN, client, options

from rag.serve.guard import Rules, host_of, is_known, refusal

LOOPBACK = Rules()
WITH_TOKEN = Rules(token=TOKEN)
ON_ALL = Rules(frozenset({"localhost", "papers.example.org"}), TOKEN, public=True)
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
def test_names_it_answers_to(host: str, rules: Rules, known: bool) -> None:
    assert is_known(host, rules) is known


@pytest.mark.parametrize(
    ("rules", "path", "headers", "status"),
    [
        (LOOPBACK, "/v1/ask", {}, None),
        (LOOPBACK, "/v1/ask", {"host": "evil.example"}, 421),
        (LOOPBACK, "/healthz", {"host": "evil.example"}, 421),
        (LOOPBACK, "/v1/ask", {"origin": "http://localhost:8000"}, None),
        (LOOPBACK, "/v1/ask", {"origin": "http://localhost:9999"}, 403),
        (LOOPBACK, "/v1/ask", {"origin": "https://evil.example"}, 403),
        (LOOPBACK, "/v1/ask", {"origin": "null"}, 403),
        (LOOPBACK, "/v1/ask", {"origin": "http://[::1"}, 403),
        (WITH_TOKEN, "/v1/ask", {}, 401),
        (WITH_TOKEN, "/healthz", {}, None),
        (WITH_TOKEN, "/metrics", {}, 401),
        (WITH_TOKEN, "/v1/ask", BEARER, None),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"bearer {TOKEN}"}, None),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Basic {TOKEN}"}, 401),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Bearer {TOKEN}x"}, 401),
        (WITH_TOKEN, "/v1/ask", {"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        (WITH_TOKEN, "/v1/ask", {"authorization": "Bearer \xff"}, 401),
        (WITH_TOKEN, "/v1/ask", {"authorization": "Bearer "}, 401),
        (LOOPBACK, "/v1/ask", {"content-length": "1048576"}, None),
        (LOOPBACK, "/v1/ask", {"content-length": "1048577"}, 413),
        (LOOPBACK, "/v1/ask", {"content-length": "9" * 5000}, 413),
    ],
)
def test_refusals(rules: Rules, path: str, headers: dict[str, str], status: int | None) -> None:
    refused = refusal(path, {"host": "localhost:8000", **headers}, rules)
    assert (refused[0] if refused else None) == status
    assert refused is None or refused[1].hint


def test_a_refusal_is_a_problem_with_the_headers_of_every_response() -> None:
    with client() as web:
        response = web.post("/v1/ask", json={"question": "x"}, headers={"origin": "https://evil.example"})
        assert response.status_code == 403
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in response.headers
        preflight = web.options("/v1/ask", headers={"origin": "https://evil.example"})
        assert preflight.status_code == 403
        assert "access-control-allow-origin" not in preflight.headers


def test_without_a_token_nothing_is_told() -> None:
    paths = ["/openapi.json", "/metrics", "/v1/papers", "/v1/search?query=x", "/v1/batch", "/mcp", "/nothing"]
    with client(given=PUBLIC) as web:
        for path in paths:
            response = web.get(path)
            assert response.status_code == 401, path
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert web.get("/openapi.json", headers=BEARER).status_code == 200


def test_a_client_that_is_too_fast_is_told_when_to_come_back() -> None:
    with client(given=options(PUBLIC, burst=3, requests_per_minute=6), **BEARER) as web:
        statuses = [web.get("/v1/models").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = web.get("/v1/models")
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert "CITEWISE_SERVE_REQUESTS_PER_MINUTE" in refused.json()["hint"]
        assert web.get("/healthz").status_code == 200


def test_on_loopback_nobody_is_too_fast() -> None:
    with client(given=options(burst=1, requests_per_minute=1)) as web:
        assert {web.get("/v1/models").status_code for _ in range(20)} == {200}


def test_wrong_tokens_are_counted_too() -> None:
    with client(given=options(PUBLIC, burst=2, requests_per_minute=1)) as web:
        tries = [web.get("/v1/models", headers={"authorization": f"Bearer {n}"}) for n in range(3)]
        assert [response.status_code for response in tries] == [401, 401, 429]


def test_a_chunked_body_is_counted_as_it_comes() -> None:
    def endless():
        for _ in range(3000):
            yield b"x" * 1024

    with client() as web:
        response = web.post("/v1/ask", content=endless(), headers={"content-type": "application/json"})
        assert response.status_code == 413
