"""Results: written whole, read back equal, refused when they are something else."""

from __future__ import annotations

import json

import pytest
from fake_assistant import FakeAssistant

from eval.ask.ask import ask
from eval.measure.results import collect, read, save
from eval.measure.stamps import stamp_of, versions
from eval.questions.questions import Gold
from rag.errors import OutputError, ReadError
from rag.settings import Settings
from rag.types import Question


def results(tmp_path, name="full"):
    golds = [
        Gold(Question(text, id=str(n)), "fact", "dev", True, ("T",), (), (("x",),), None, None)
        for n, text in enumerate(["one", "unknown", "quote", "fail"])
    ]
    rows = ask(FakeAssistant(), golds, tmp_path / f"{name}.jsonl")
    stamp = stamp_of(name, "f" * 16, golds, settings=Settings.load(), split="dev", date="2026-01-02")
    return collect(rows, stamp)


def test_they_come_back_equal(tmp_path):
    found = results(tmp_path)
    save(found, tmp_path / "a" / "results.json")
    assert read(tmp_path / "a" / "results.json") == found
    assert found.name == "full"
    assert [item.status for item in found.items] == ["answered", "abstained", "quoted", "error"]


def test_the_stamp_says_how_they_came_about(tmp_path):
    stamp = results(tmp_path).stamp
    assert (stamp.date, stamp.fingerprint, stamp.split) == ("2026-01-02", "f" * 16, "dev")
    assert stamp.settings["support_min"] == Settings.load().support_min
    assert "cache_dir" not in stamp.settings
    assert stamp.judge
    assert {"python", "machine", "citewise", "torch", "numpy"} <= versions().keys()


def test_the_file_is_plain_json_without_nan(tmp_path):
    save(results(tmp_path), tmp_path / "r.json")

    def refuse(constant):
        raise AssertionError(constant)

    json.loads((tmp_path / "r.json").read_text(), parse_constant=refuse)


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "\x00"])
def test_what_is_no_results_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReadError, match=r"r\.json"):
        read(path)


def test_results_of_another_format_are_refused(tmp_path):
    path = tmp_path / "r.json"
    save(results(tmp_path), path)
    path.write_text(path.read_text().replace('"format": 1', '"format": 99', 1))
    with pytest.raises(ReadError, match="format 99"):
        read(path)


def test_an_unwritable_place_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"r\.json"):
        save(results(tmp_path), tmp_path / "file" / "r.json")
