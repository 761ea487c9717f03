"""An exact repeat is answered from memory; anything else is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import BARS, THROUGHPUT, ConstantVerifier, FakeChatModel, built, fake_embedder, timeless

from rag.assistant import Assistant
from rag.errors import GenerationFailed
from rag.pipeline.answer_cache import AnswerMemory
from rag.pipeline.assemble import Parts
from rag.settings import Settings
from rag.types import Answer, Failure, Finished, Question, Timings, Turn

ANSWER = Answer("q", "q", "quoted", "text", 0.5, id="1", timings=Timings(total_s=3.0))


def test_an_answer_comes_back_under_the_new_id():
    memory = AnswerMemory(2)
    memory.keep("f", Question("q", (), "1"), ANSWER)
    assert memory.recall("f", Question("q", (), "2")) == replace(ANSWER, id="2", timings=Timings())


@pytest.mark.parametrize(
    ("fingerprint", "question"),
    [
        ("g", Question("q")),
        ("f", Question("Q")),
        ("f", Question("q", (Turn("user", "before"),))),
    ],
)
def test_anything_else_is_another_question(fingerprint: str, question: Question):
    memory = AnswerMemory(2)
    memory.keep("f", Question("q"), ANSWER)
    assert memory.recall(fingerprint, question) is None


def test_the_least_recently_used_goes_first():
    memory = AnswerMemory(2)
    for text in ("a", "b"):
        memory.keep("f", Question(text), ANSWER)
    memory.recall("f", Question("a"))
    memory.keep("f", Question("c"), ANSWER)
    assert len(memory) == 2
    assert memory.recall("f", Question("b")) is None
    assert memory.recall("f", Question("a")) is not None


def test_failures_are_not_remembered():
    memory = AnswerMemory(2)
    failed = Answer.failed(Question("q"), Failure("X", "message", "hint"), "f")
    memory.keep("f", Question("q"), failed)
    assert memory.recall("f", Question("q")) is None


def opened(tmp_path: Path, model: FakeChatModel, **settings: object) -> Assistant:
    known = Settings.load(**{**BARS, "answerable_min": 0.0, "generator": "none", **settings})
    parts = Parts(generator=model, verifier=ConstantVerifier())
    return Assistant.over(built(tmp_path / "index"), fake_embedder(), known, parts)


def test_a_repeat_asks_no_model(tmp_path: Path):
    model = FakeChatModel(lambda prompt: "It reaches 9.1times higher throughput [1].")
    assistant = opened(tmp_path, model)
    first = assistant.ask(THROUGHPUT)
    asked = len(model.prompts)
    assert asked
    assert timeless(assistant.ask(THROUGHPUT)) == timeless(first)
    events = list(assistant.stream(THROUGHPUT))
    assert isinstance(events[-1], Finished)
    assert timeless(events[-1].answer) == timeless(first)
    assert [timeless(answer) for answer in assistant.batch([THROUGHPUT, THROUGHPUT])] == [timeless(first)] * 2
    assert len(model.prompts) == asked
    assistant.ask(f"{THROUGHPUT} Really?")
    assert len(model.prompts) > asked


def test_what_a_stream_told_is_remembered_too(tmp_path: Path):
    model = FakeChatModel(lambda prompt: "It reaches 9.1times higher throughput [1].")
    assistant = opened(tmp_path, model)
    list(assistant.stream(THROUGHPUT))
    asked = len(model.prompts)
    assistant.ask(THROUGHPUT)
    assert len(model.prompts) == asked


def test_off_by_one_setting(tmp_path: Path):
    model = FakeChatModel(lambda prompt: "It reaches 9.1times higher throughput [1].")
    assistant = opened(tmp_path, model, answer_cache=0)
    assistant.ask(THROUGHPUT)
    asked = len(model.prompts)
    assistant.ask(THROUGHPUT)
    assert len(model.prompts) == 2 * asked


def test_a_failure_is_tried_again(tmp_path: Path):
    model = FakeChatModel([GenerationFailed("broke", hint="x"), "It reaches 9.1times higher throughput [1]."])
    assistant = opened(tmp_path, model)
    assert assistant.batch([THROUGHPUT])[0].status == "error"
    assert assistant.ask(THROUGHPUT).status != "error"


def test_it_does_not_change_the_fingerprint():
    assert Settings.load(answer_cache=0).fingerprint() == Settings.load().fingerprint()
