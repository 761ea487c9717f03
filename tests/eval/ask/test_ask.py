"""Asking: every answer is kept whole, a stopped run is completed, nothing stale is taken over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_assistant import FakeAssistant

from eval.ask.ask import ask, code_digest
from eval.questions.questions import Gold
from rag.errors import OutputError
from rag.types import Question, Turn


def gold(name: str, text: str, *history: Turn) -> Gold:
    return Gold(Question(text, history, name), "fact", "dev", True, (), (), (), None, None)


GOLDS = [
    gold("a", "one"),
    gold("b", "unknown two"),
    gold("c", "quote \x00 <b>three</b> \u2028 é", Turn("user", "x")),
]


def test_answers_come_back_whole_and_in_order(tmp_path):
    path = tmp_path / "deep" / "rows.jsonl"
    first = ask(FakeAssistant(), GOLDS, path)
    idle = FakeAssistant()
    again = ask(idle, GOLDS, path)
    assert again == first
    assert idle.asked == []
    assert [answer.status for _, answer in again] == ["answered", "abstained", "quoted"]


def test_a_stopped_run_is_completed(tmp_path):
    path = tmp_path / "rows.jsonl"
    ask(FakeAssistant(), GOLDS[:2], path)
    whole = path.read_text()
    path.write_text(whole[: len(whole) - 40])  # the last line is torn
    second = FakeAssistant()
    told = []
    rows = ask(second, GOLDS, path, lambda done, total: told.append((done, total)))
    assert second.asked == ["unknown two", GOLDS[2].question.text]
    assert [g.id for g, _ in rows] == ["a", "b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(path.read_text().splitlines()) == 3


def test_a_shorter_run_throws_nothing_away(tmp_path):
    path = tmp_path / "rows.jsonl"
    ask(FakeAssistant(), GOLDS, path)
    ask(FakeAssistant(), GOLDS[:1], path)
    idle = FakeAssistant()
    ask(idle, GOLDS, path)
    assert idle.asked == []


@pytest.mark.parametrize("changed", ["fingerprint", "code", "history", "words"])
def test_what_may_have_changed_is_asked_again(tmp_path, monkeypatch, changed):
    path = tmp_path / "rows.jsonl"
    ask(FakeAssistant(), GOLDS[2:], path)
    golds, fingerprint = GOLDS[2:], "f" * 16
    if changed == "fingerprint":
        fingerprint = "e" * 16
    elif changed == "code":
        monkeypatch.setattr("eval.ask.ask.code_digest", lambda: "other")
    elif changed == "history":
        golds = [replace(GOLDS[2], question=replace(GOLDS[2].question, history=(Turn("user", "y"),)))]
    else:
        golds = [replace(GOLDS[2], question=replace(GOLDS[2].question, text="quote four"))]
    second = FakeAssistant(fingerprint=fingerprint)
    ask(second, golds, path)
    assert len(second.asked) == 1


def test_failed_questions_are_asked_again(tmp_path):
    path = tmp_path / "rows.jsonl"
    golds = [gold("f", "fail please")]
    assert ask(FakeAssistant(), golds, path)[0][1].status == "error"
    second = FakeAssistant()
    ask(second, golds, path)
    assert second.asked == ["fail please"]


@pytest.mark.parametrize("garbage", ["{}", "null", '{"key": "x", "answer": 3}', "\x00", '{"key": 1}'])
def test_lines_that_are_no_answers_are_left_out(tmp_path, garbage):
    path = tmp_path / "rows.jsonl"
    path.write_text(garbage + "\n")
    assert len(ask(FakeAssistant(), GOLDS, path)) == 3
    assert len(path.read_text().splitlines()) == 3


def test_an_unwritable_place_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="rows"):
        ask(FakeAssistant(), GOLDS, tmp_path / "file" / "rows.jsonl")


def test_the_code_digest_is_one_and_the_same():
    assert code_digest() == code_digest()
    assert len(code_digest()) == 16
