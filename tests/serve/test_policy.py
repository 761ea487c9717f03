"""The server's policy over HTTP: refusals as problems, headers, the token, rates."""

from __future__ import annotations

import json

import pytest
from serving import PUBLIC, TOKEN, client, options

from rag.serve.policy import refusal_response
from rag.web.guard import Reason, Refusal

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("reason", "status"), [("host", 421), ("origin", 403), ("token", 401), ("size", 413), ("rate", 429)]
)
def test_every_refusal_has_its_status_and_a_hint(reason: Reason, status: int) -> None:
    response = refusal_response(Refusal(reason, bytes_max=1_048_576, wait_s=2.0), "/v1/ask")
    assert response.status_code == status
    problem = json.loads(response.body)
    assert problem["hint"]
    if reason == "size":
        assert problem["detail"] == "A request may have 1,048,576 bytes."


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
        assert web.get("/healthz").status_code == 200


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
