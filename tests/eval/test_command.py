"""`citewise eval` over a fake assistant: options, files, table, report, failures in words."""

from __future__ import annotations

import html
import json
from types import SimpleNamespace

import pytest
from fake_assistant import FakeAssistant
from typer.testing import CliRunner

from eval import command
from eval.questions.questions import load, spread


@pytest.fixture
def fake(monkeypatch):
    """Every system is the fake; `opened` holds what each was opened with."""
    opened = []

    class Source(SimpleNamespace):
        def changed(self, **settings):
            values = self.settings.model_dump(exclude_unset=True) | settings
            return Source(**{**vars(self), "settings": type(self.settings).load(**values)})

    def open_system(name, source):
        opened.append(name)
        return FakeAssistant(fingerprint=name.ljust(16, "0"))

    def opening(settings, papers, collection, progress):
        opened.append((settings.generator, papers, collection))
        return Source(settings=settings, progress=progress)

    monkeypatch.setattr(command, "opening", opening)
    monkeypatch.setattr(command, "open_system", open_system)
    return opened


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "own.jsonl"
    records = [
        {"id": f"q{n}", "question": f"{word} {n}", "must": [["echo"]], "titles": ["T"]}
        for n, word in enumerate(["what", "quote", "unknown", "why"] * 3)
    ]
    path.write_text("\n".join(map(json.dumps, records)))
    return path


def call(*arguments):
    return CliRunner().invoke(command.app, [str(item) for item in arguments])


def test_it_asks_measures_and_leaves_results_and_report(fake, questions, tmp_path):
    out = tmp_path / "out"
    result = call("--questions", questions, "-o", out, "--quotes-only", "--papers", "p.bib")
    assert result.exit_code == 0, result.output
    assert fake == [("none", "p.bib", "default"), "full"]
    assert "correct" in result.stdout
    assert ".500 [" in result.stdout
    assert "Report:" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "answers-full.jsonl",
        "errors.md",
        "report.html",
        "results-full.json",
    ]
    found = json.loads((out / "results-full.json").read_text())
    assert found["stamp"]["fingerprint"] == "full".ljust(16, "0")
    assert len(found["items"]) == 12


def test_ablations_and_another_run_stand_beside(fake, questions, tmp_path):
    first = tmp_path / "first"
    call("--questions", questions, "-o", first)
    result = call(
        *("--questions", questions, "-o", tmp_path / "second", "--ablate", "dense_only"),
        *("--ablate", "full", "--compare", first / "results-full.json"),
    )
    assert result.exit_code == 0, result.output
    head = result.stdout.splitlines()[0]
    assert head.split("  ")[0] == "measure"
    assert [name.strip() for name in head.split("  ")[1:] if name] == [
        "full (run 1)",
        "dense_only",
        "full (run 3)",
    ]
    page = html.unescape((tmp_path / "second" / "report.html").read_text())
    assert "full (run 1) minus dense_only" in page


def test_runs_of_one_name_are_told_apart_by_settings(fake, questions, tmp_path):
    call("--questions", questions, "-o", tmp_path / "a", "--quotes-only")
    other = tmp_path / "a" / "results-full.json"
    head = call("--questions", questions, "-o", tmp_path / "b", "--compare", other).stdout.splitlines()[0]
    assert "full (generator citewise-reader)" in head
    assert "full (generator none)" in head


def test_a_limit_is_spread_evenly(fake, questions, tmp_path):
    call("--questions", questions, "-o", tmp_path, "--limit", 4)
    found = json.loads((tmp_path / "results-full.json").read_text())
    assert [item["id"] for item in found["items"]] == ["q0", "q3", "q6", "q9"]
    assert len(spread(load(files=[questions]), 99)) == 12


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--split", "train"], 2, "none of dev, test, all"),
        (["--ablate", "nothing"], 2, "quotes_only"),
        (["--set", "support_min"], 2, "NAME=VALUE"),
        (["--set", "nonsense=1"], 2, "nonsense"),
        (["--set", "support_min=7"], 2, "support_min"),
        (["--compare", "missing.json"], 2, "missing.json"),
        (["--questions", "missing.jsonl"], 2, "missing.jsonl"),
        (["--limit", "0"], 2, "--limit"),
        (["-o", "/dev/null/x"], 1, "-o"),
    ],
)
def test_wrong_options_are_told_in_words(fake, arguments, code, told):
    result = call(*arguments)
    assert result.exit_code == code
    assert told in result.output
    assert "Traceback" not in result.output


def test_settings_reach_the_assistant(fake, questions, tmp_path):
    call("--questions", questions, "-o", tmp_path, "--set", "generator=some/model")
    assert fake[0] == ("some/model", None, "default")
