"""Thumbs as the chat writes them: read, counted, asked again, refused by line."""

from __future__ import annotations

import json

import pytest
from fake_assistant import FakeAssistant
from feedback_rows import ROWS, thumb
from typer.testing import CliRunner

from eval import command
from eval.measure.feedback import ask_again, kept, read_thumbs, save, summarise
from eval.report.plain import thumbs as plain
from rag.errors import QuestionFileError, ReadError
from rag.types import Turn


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "thumbs.jsonl"
    found.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return found


def test_shares_by_status_where_the_last_verdict_counts(path):
    found = summarise(read_thumbs(path))
    # 'what' was up and then down: one of four is up, and of two quotes one
    assert found.count == 4
    assert {one.name: (one.value, one.n) for one in found.up} == {
        "all": (0.25, 4),
        "answered": (0.0, 1),
        "quoted": (0.5, 2),
        "abstained": (0.0, 1),
    }


def test_what_was_voted_down_comes_newest_first(path):
    found = summarise(read_thumbs(path))
    assert [(one.question, one.note) for one in found.down] == [
        ("what", ""),
        ("unknown", ""),
        ("quote it", "Not the number."),
    ]
    assert found.down[0].then.text == "Echo: what [1]"
    assert found.down[1].history == ("user: Who?", "assistant: She.")
    assert found.down[2].then.titles == ("Tagging [red]news[/red]",)


def test_asked_again_with_its_history(path):
    assistant = FakeAssistant(fingerprint="n" * 16)
    heard = []
    found = ask_again(read_thumbs(path), assistant, lambda done, total: heard.append((done, total)))
    assert assistant.asked == ["what", "unknown", "quote it"]
    assert assistant.histories[1] == (Turn("user", "Who?"), Turn("assistant", "She."))
    assert [one.again.status for one in found.down] == ["answered", "abstained", "quoted"]
    assert found.down[0].again.fingerprint == "n" * 16
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert "down: what (answered, now answered)" in plain(found)


def test_they_come_back_equal(path, tmp_path):
    found = ask_again(read_thumbs(path), FakeAssistant())
    save(found, tmp_path / "out")
    assert kept(tmp_path / "out") == found
    assert kept(tmp_path) is None
    (tmp_path / "thumbs.json").write_text("[]")
    with pytest.raises(ReadError, match=r"thumbs\.json"):
        kept(tmp_path)


def test_a_torn_last_line_is_left_out(path):
    path.write_text(path.read_text() + '{"question": "hal')
    assert len(read_thumbs(path)) == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no thumbs"),
        ("[1]\n", "line 1"),
        (f"{json.dumps(ROWS[0])}\n{json.dumps(thumb('x', 'sideways'))}\n", "line 2: `verdict`"),
        (json.dumps({"question": "x", "verdict": "up"}) + "\n", "line 1: `answer`"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_file_of_thumbs_is_told_by_line(tmp_path, content, told):
    path = tmp_path / "t.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(QuestionFileError, match=r"t\.jsonl") as caught:
        read_thumbs(path)
    assert told in caught.value.message


@pytest.mark.parametrize("again", [False, True])
def test_the_door(path, tmp_path, monkeypatch, again):
    assistant = FakeAssistant()
    monkeypatch.setattr(command, "opening", lambda *_: None)
    monkeypatch.setattr(command, "open_system", lambda name, source: assistant)
    out = tmp_path / "out"
    options = ["--thumbs", str(path), "-o", str(out), *(["--ask-again"] if again else [])]
    result = CliRunner().invoke(command.app, options)
    assert result.exit_code == 0, result.output
    assert ".250 [" in result.stdout
    assert len(assistant.asked) == (3 if again else 0)
    page = (out / "report.html").read_text()
    assert "Thumbs from the chat" in page
    assert ("asked again" in page) == again
