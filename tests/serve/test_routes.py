"""HTTP: the JSON of an answer, its events, search, papers, health and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fake_assistant import ABSTRACT, PAPER, FakeAssistant, answer_to
from serving import Held, client, options, wait_until
from starlette.testclient import TestClient

from rag.batch.results import json_line
from rag.errors import GenerationFailed, IndexMissing
from rag.serve.app import Options, build_app
from rag.serve.schemas import AnswerBody, PaperBody, PapersBody, SearchResultBody, example_answer
from rag.types import StageStarted, Turn

QUESTIONS = ["How large?", "unknown", "quote it", "", "naïve 🤖 \u2028 [1]"]


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture(scope="module")
def web(assistant: FakeAssistant) -> Iterator[TestClient]:
    with client(assistant) as made:
        yield made


def events_of(text: str) -> list[tuple[str, dict]]:
    """Name and data of every event of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines["event"], json.loads(lines["data"])))
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_is_the_command_lines_to_the_byte(web: TestClient, question: str) -> None:
    response = web.post("/v1/ask", json={"question": question})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.text == json_line(answer_to(question, None, "f" * 16))
    AnswerBody.model_validate(response.json())


def test_history_is_handed_on(web: TestClient, assistant: FakeAssistant) -> None:
    history = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    web.post("/v1/ask", json={"question": "and?", "history": history})
    assert assistant.histories[-1] == (Turn("user", "a"), Turn("assistant", "b"))


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"question": "x", "stream": True}, {}), ({"question": "x"}, {"accept": "text/event-stream"})],
)
def test_events_are_stages_drafts_and_the_answer(web: TestClient, body: dict, headers: dict) -> None:
    response = web.post("/v1/ask", json=body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert events[0] == ("stage", {"stage": "writing", "at_s": 0.0})
    assert events[1] == ("draft", {"text": "draft \x1b[31m", "verified": False})
    assert events[2:] == [("answer", answer_to("x", None, "f" * 16).to_dict())]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "body.question"),
        ({"question": 3}, "body.question"),
        ({"question": "x", "steam": True}, "body.steam"),
        ({"question": "x" * 4001}, "4,001 characters"),
        ({"question": "x", "history": [{"role": "system", "content": "y"}]}, "body.history.0.role"),
        ({"question": "x", "history": [{"role": "user", "content": "y"}] * 101}, "101 messages"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_request_is_a_problem(web: TestClient, body: dict, told: str, stream: bool) -> None:
    response = web.post("/v1/ask", json={**body, "stream": stream})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert told in problem["detail"]
    assert problem["status"] == 422
    assert problem["hint"]
    assert "error" not in problem


def test_the_longest_question_is_taken(web: TestClient) -> None:
    assert web.post("/v1/ask", json={"question": "x" * 4000}).status_code == 200


def test_lone_surrogates_do_no_harm(web: TestClient) -> None:
    body = b'{"question": "a\\ud800b", "history": [{"role": "user", "content": "\\udfff"}]}'
    response = web.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.json()["question"] == "a\ufffdb"
    assert web.get("/v1/papers/%ED%A0%80").status_code == 404


@pytest.mark.parametrize("path", ["/v1/search?query=news&k=1", "/v1/search"])
def test_search(web: TestClient, path: str) -> None:
    found = web.get(path) if "?" in path else web.post(path, json={"query": "news"})
    assert found.status_code == 200
    SearchResultBody.model_validate(found.json())
    (result,) = found.json()["results"]
    assert (result["paper_id"], result["rank"], result["abstract"]) == ("p1", 1, ABSTRACT)


@pytest.mark.parametrize("query", ["k=3", "query=x&k=0", "query=x&k=101", "query=x&k=a"])
def test_a_search_out_of_bounds(web: TestClient, query: str) -> None:
    assert web.get(f"/v1/search?{query}").status_code == 422


def test_papers(web: TestClient) -> None:
    page = web.get("/v1/papers").json()
    PapersBody.model_validate(page)
    assert (page["next"], page["total"]) == (None, 1)
    paper = web.get("/v1/papers/p1").json()
    PaperBody.model_validate(paper)
    assert page["papers"] == [paper]
    assert paper["title"] == PAPER.title
    assert "origins" not in paper
    assert web.get("/v1/papers?words=nothing").json()["papers"] == []
    assert web.get("/v1/papers?after=p1").json()["papers"] == []
    assert web.get("/v1/papers?limit=201").status_code == 422


@pytest.mark.parametrize(("path", "status"), [("/v1/papers/none", 404), ("/v2", 404), ("/", 404)])
def test_what_is_not_there_is_a_problem(web: TestClient, path: str, status: int) -> None:
    response = web.get(path)
    assert (response.status_code, response.json()["status"]) == (status, status)
    assert response.json()["hint"]


def test_a_wrong_method_is_a_problem(web: TestClient) -> None:
    response = web.get("/v1/ask")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.headers["content-type"] == "application/problem+json"


def test_openapi_names_every_route_with_examples(web: TestClient) -> None:
    described = web.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/ask", "/v1/search", "/v1/papers", "/v1/papers/{paper_id}", "/v1/chat/completions", "/v1/models",
        "/v1/models/{name}", "/v1/batch", "/v1/batch/{name}", "/v1/batch/{name}/result",
        "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert described["components"]["schemas"]["AskBody"]["examples"]
    told = described["paths"]["/v1/ask"]["post"]["responses"]["200"]["content"]
    example = {name: value for name, value in example_answer().items() if value is not None}
    assert told["application/json"]["example"] == example  # OpenAPI leaves nulls out
    AnswerBody.model_validate(example_answer())


def test_numbers(web: TestClient) -> None:
    web.post("/v1/ask", json={"question": "x"})
    web.get("/v1/papers/none")
    text = web.get("/metrics").text
    assert 'citewise_answers_total{status="answered"}' in text
    assert 'citewise_requests_total{route="/v1/papers/{paper_id:path}",status="404"}' in text
    assert 'citewise_stage_seconds_bucket{le="0.01",stage="retrieve"}' in text
    assert "citewise_papers 1.0" in text
    assert "citewise_running 0.0" in text


class Broken(FakeAssistant):
    """Fails before the first event, or after it."""

    def stream(self, question, history=()):
        if "first" in question:
            raise GenerationFailed("the generator broke", hint="Ask again.")
        yield StageStarted("writing", 0.0)
        if "bug" in question:
            raise ZeroDivisionError("secret")
        raise GenerationFailed("the generator broke", hint="Ask again.")


@pytest.mark.parametrize("question", ["first", "second"])
def test_a_broken_part_is_a_problem_with_the_hint(question: str) -> None:
    with client(Broken()) as web:
        response = web.post("/v1/ask", json={"question": question})
        assert response.status_code == 503
        assert response.json()["title"] == "GenerationFailed"
        assert (response.json()["detail"], response.json()["hint"]) == ("the generator broke", "Ask again.")


def test_a_broken_stream_ends_with_the_problem() -> None:
    with client(Broken()) as web:
        events = events_of(web.post("/v1/ask", json={"question": "second", "stream": True}).text)
        assert [name for name, _ in events] == ["stage", "error"]
        assert events[-1][1]["hint"] == "Ask again."


def test_a_bug_shows_no_traceback() -> None:
    with client(Broken()) as web:
        response = web.post("/v1/ask", json={"question": "bug"})
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert "secret" not in response.text
        assert "Traceback" not in response.text


def test_before_it_is_ready_it_says_so() -> None:
    held = Held()

    def slowly() -> Held:
        held.go.wait(10)
        return held

    with TestClient(build_app(slowly, Options(), "1.0"), base_url="http://localhost") as web:
        assert web.get("/healthz").status_code == 200
        for response in (
            web.get("/readyz"),
            web.post("/v1/ask", json={"question": "x"}),
            web.post("/v1/ask", json={"question": "x", "stream": True}),
            web.get("/v1/search?query=x"),
            web.post("/v1/batch", json={"questions": ["x"]}),
        ):
            assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        assert "citewise_papers 0.0" in web.get("/metrics").text
        held.go.set()
        wait_until(lambda: web.get("/readyz").status_code == 200)
        assert web.post("/v1/ask", json={"question": "x"}).status_code == 200


def test_what_cannot_be_opened_says_why() -> None:
    def fail() -> FakeAssistant:
        raise IndexMissing("no index here", hint="Make one: citewise ingest PATH")

    with TestClient(build_app(fail, Options(), "1.0"), base_url="http://localhost") as web:
        wait_until(lambda: web.get("/readyz").json()["title"] == "IndexMissing")
        response = web.post("/v1/ask", json={"question": "x"})
        assert (response.status_code, response.json()["hint"]) == (503, "Make one: citewise ingest PATH")


def test_a_deadline_is_a_problem() -> None:
    with client(Held(), options(deadline_s=0.2)) as web:
        response = web.post("/v1/ask", json={"question": "x"})
        assert (response.status_code, response.json()["title"]) == (504, "DeadlineExceeded")
        events = events_of(web.post("/v1/ask", json={"question": "x", "stream": True}).text)
        assert (events[-1][0], events[-1][1]["status"]) == ("error", 504)
