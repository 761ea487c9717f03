"""The benchmark's arithmetic, and its driver with contenders that cost nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar
from xml.etree import ElementTree

import pytest
from fakes import PAPERS

from eval.bench import contenders, run
from eval.bench.contenders import base, missing
from eval.bench.contenders.base import Clock, decoding, streamed
from eval.bench.contenders.llamaindex import LlamaIndex
from eval.bench.contenders.txtai import TEMPLATE, Txtai
from eval.bench.roofline import decode_bound
from eval.bench.run import Plan, samples
from eval.bench.summary import better, plot, rows, table

SAMPLES = {
    "ours": {"answer": [1.0, 2.0, 3.0], "decode": [40.0], "verify": [5.0]},
    "theirs": {"answer": [4.0, 8.0], "decode": [10.0]},
}


def test_medians_quartiles_and_ratios_by_hand():
    found = {(row.contender, row.stage): row for row in rows(SAMPLES, "theirs")}
    ours = found["ours", "answer"]
    assert (ours.low, ours.median, ours.high, ours.count) == (1.5, 2.0, 2.5, 3)
    assert ours.ratio == pytest.approx(3.0)
    assert found["ours", "decode"].ratio == pytest.approx(4.0)
    assert found["theirs", "decode"].ratio == pytest.approx(1.0)
    assert found["ours", "verify"].ratio is None
    assert [row.stage for row in rows(SAMPLES, "theirs")] == [
        "decode",
        "decode",
        "verify",
        "answer",
        "answer",
    ]


def test_nothing_is_no_times_better():
    assert better(0.0, 3.0, less=True) is None
    assert better(3.0, 0.0, less=False) is None
    assert better(3.0, 2.0, less=None) is None


def test_the_table_and_the_plot_tell_the_ratios():
    found = rows(SAMPLES, "theirs")
    assert "| answer | ours | 2 s | 1.5 to 2.5 | 3 | 3.00 |" in table(found)
    drawing = ElementTree.fromstring(plot(found, "theirs"))
    words = [element.text for element in drawing.iter() if element.text]
    assert "ours answer" in words
    assert "3.00" in words
    assert "theirs answer" not in words


def test_a_bound_by_hand():
    assert decode_bound(10.0, 100e6) == pytest.approx(100.0)


class Stub:
    """A worker without a process; keeps the order in which steps were asked for."""

    log: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    def do(self, step: str, given: object = None) -> dict[str, float]:
        self.log.append((self.name, step))
        if step == "batch":
            assert given == ["a", "b"]
        return {"wall_s": 2.0, "cpu_s": 1.0, "peak_mb": 100.0, "retrieve_s": 0.25, "first_token_s": 0.5}

    def stop(self) -> None:
        self.log.append((self.name, "stop"))


def test_contenders_take_turns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "Worker", Stub)
    Stub.log.clear()
    plan = Plan(PAPERS, ["a", "b"], rounds=1, batch=2)
    found = samples(["x", "y"], plan, lambda text: None)
    assert Stub.log[:6] == [(name, step) for step in ("imports", "load", "index") for name in ("x", "y")]
    assert Stub.log[8:12] == [("x", "stages"), ("x", "ask"), ("y", "stages"), ("y", "ask")]
    assert Stub.log[-2:] == [("x", "stop"), ("y", "stop")]
    assert found["x"]["answer"] == [2.0, 2.0]
    assert found["x"]["retrieve"] == [250.0] * 4
    assert found["y"]["batch"] == [1.0]
    assert found["y"]["batch_cpu"] == [2.0]
    assert found["y"]["peak_memory"] == [100.0]


def test_an_answer_in_pieces_by_hand(monkeypatch: pytest.MonkeyPatch):
    ticks = iter([10.0, 10.5, 12.5])
    monkeypatch.setattr(base.time, "perf_counter", lambda: next(ticks))
    figures = streamed(lambda: ["one ", "two ", "three"], lambda text: len(text.split()))
    assert figures == {"first_token_s": 0.5, "tokens": 3.0, "tokens_per_s": 1.0}
    monkeypatch.setattr(base.time, "perf_counter", lambda: 1.0)
    assert streamed(list, len) == {}


def test_a_rate_needs_a_second_token():
    assert decoding(2.0, 2.0, 1) == {"first_token_s": 2.0, "tokens": 1.0}


def test_who_lacks_a_package_is_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(contenders.NEEDS, "langchain", ("pytest", "no-such-package", "nor-this"))
    assert missing("langchain") == f"no-such-package, nor-this not installed; {contenders.INSTALL}"
    assert missing("citewise") is None
    assert "no such contender" in str(missing("nobody"))
    assert set(contenders.NEEDS) == set(contenders.CONTENDERS)


def test_the_command_names_what_the_project_pins():
    root = Path(__file__).parents[3]
    pins = (root / "constraints.txt").read_text(encoding="utf-8").split()
    assert next(word for word in contenders.INSTALL.split() if word.startswith("torch==")) in pins
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {line.partition(">")[0] for line in project["optional-dependencies"]["bench"]}
    assert extra == {*contenders.NEEDS["txtai"], *contenders.NEEDS["llamaindex"]}
    assert extra <= {pin.partition("==")[0] for pin in pins}


def test_a_clock_counts_from_the_token_after_the_prompt(monkeypatch: pytest.MonkeyPatch):
    ticks = iter([1.0, 1.25, 3.0, 3.5, 4.0])
    monkeypatch.setattr(base.time, "perf_counter", lambda: next(ticks))
    clock = Clock()
    assert clock.figures() == {}
    for value in ("prompt", "a", "b", "c"):
        clock.put(value)
    clock.end()
    assert clock.figures() == {"first_token_s": 2.0, "tokens": 3.0, "tokens_per_s": 2.0}


def test_txtai_is_given_the_clock_and_the_bounds():
    asked = []

    def rag(question: object, **options: object) -> str:
        asked.append((question, options.get("max_new_tokens"), options.get("do_sample")))
        for value in ("prompt", "token") if "streamer" in options else ():
            options["streamer"].put(value)  # type: ignore[attr-defined]
        return ""

    peer = Txtai()
    peer._rag = rag
    assert peer.ask("a")["tokens"] == 1.0
    assert peer.batch(("a", "b")) == {}
    assert asked == [("a", base.TOKENS_MAX, False), (["a", "b"], base.TOKENS_MAX, False)]
    assert "Question:\n  why" in TEMPLATE.format(question="why", context="")


def test_txtai_indexes_titles_and_abstracts():
    kept: list[str] = []
    peer = Txtai()
    peer._embeddings = SimpleNamespace(index=kept.extend, count=lambda: len(kept))
    assert peer.index(PAPERS) == {"vectors": float(len(PAPERS))}
    assert kept[0] == f"{PAPERS[0].title}\n\n{PAPERS[0].abstract}"


def test_llamaindex_streams_one_question_and_answers_many_whole():
    whole: list[str] = []
    peer = LlamaIndex()
    peer._tokenizer = SimpleNamespace(encode=str.split)
    peer._streaming = SimpleNamespace(query=lambda question: SimpleNamespace(response_gen=iter(["x ", "y"])))
    peer._whole = SimpleNamespace(query=whole.append)
    assert peer.ask("a")["tokens"] == 2.0
    assert peer.batch(["a", "b"]) == {}
    assert whole == ["a", "b"]
