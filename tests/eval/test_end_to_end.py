"""`citewise eval` from a user's own papers and questions to figures; only the embedder is a fake."""

from __future__ import annotations

import html
import json

import pytest
from fakes import PAPERS, FakeChatModel, fake_embedder
from public_files import put
from typer.testing import CliRunner

from eval import command
from rag.pipeline import assemble as assistants

NEVER_DECLINES = ("--set", "answerable_min=0")


@pytest.fixture(autouse=True)
def _fake_models(monkeypatch):
    """Hash embeddings; the generator of the settings copies one sentence that is right."""
    model = FakeChatModel(lambda _: "Monarch Mixer matches BERT-base with 27% fewer parameters [1].")
    monkeypatch.setattr("rag.ingest.open_embedder", lambda settings: fake_embedder())
    monkeypatch.setattr(
        assistants, "load_generator", lambda s: (None if s.generator == "none" else model, s.generator)
    )


@pytest.fixture
def own(tmp_path):
    """A user's papers and questions."""
    papers, questions = tmp_path / "mine.jsonl", tmp_path / "asked.jsonl"
    rows = [{"id": p.paper_id, "title": p.title, "abstract": p.abstract} for p in PAPERS]
    papers.write_text("\n".join(map(json.dumps, rows)))
    monarch, dataman = PAPERS[0].title, PAPERS[3].title
    asked = [
        {"id": "u1", "question": "How many fewer parameters does Monarch Mixer need than BERT-base?"}
        | {"titles": [monarch], "must": [["27%"]]},
        {"id": "u2", "question": "How many tokens of SlimPajama does DataMan annotate?"}
        | {"titles": [dataman], "must": [["447B"]]},
        {"id": "u3", "question": "How many tokens of SlimPajama does DataMan annotate?"}
        | {"titles": [dataman], "must": [["999B"]]},
    ]
    questions.write_text("\n".join(map(json.dumps, asked)))
    return papers, questions


def call(*arguments):
    result = CliRunner().invoke(command.app, [str(item) for item in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_own_papers_and_own_questions(own, tmp_path):
    papers, questions = own
    out = tmp_path / "out"
    asked = ("--questions", questions, "--papers", papers, "--quotes-only", *NEVER_DECLINES)
    call(*asked, "-o", out)
    found = json.loads((out / "results-full.json").read_text())
    figures = {one["name"]: one["value"] for one in found["overall"]}
    # the quotes hold 27% and 447B, and nothing holds 999B
    assert (figures["recall@1"], figures["correct"]) == (1.0, pytest.approx(2 / 3))
    assert found["failures"]["causes"]
    assert [one["id"] for one in found["failures"]["misleading"]] == ["u3"]
    assert "u3" in (out / "errors.md").read_text()
    kept = (out / "answers-full.jsonl").read_bytes()
    call(*asked, "-o", out)
    assert (out / "answers-full.jsonl").read_bytes() == kept


def test_swapping_the_generator_is_one_setting_and_the_runs_stand_side_by_side(own, tmp_path):
    papers, questions = own
    asked = ("--questions", questions, "--papers", papers, *NEVER_DECLINES, "--set", "support_min=0")
    call(*asked, "-o", tmp_path / "quotes", "--set", "generator=none")
    result = call(*asked, "-o", tmp_path / "drafts", "--compare", tmp_path / "quotes")
    head = result.stdout.splitlines()[0]
    assert "full (generator citewise-reader)" in head
    assert "full (generator none)" in head
    page = (tmp_path / "drafts" / "report.html").read_text()
    assert "&#40;generator none&#41;" in page
    assert "minus full (generator none), paired by question" in html.unescape(page)
    assert "questions changed their verdict" in page


def test_public_sets_through_the_door(tmp_path):
    folder, out = (
        put(tmp_path / "data", "grounded_qa/clapnq_a.jsonl", "verify/wice_dev.jsonl.gz"),
        tmp_path / "o",
    )
    result = call("--public", folder, "-o", out, "--limit", 2)
    assert "clapnq: confidence (shipped)" in result.stdout
    assert "Skipped scifact: no scifact/corpus.jsonl.gz" in result.stderr
    again = call("--public", folder, "-o", tmp_path / "p", "--public-set", "wice", "--compare", out)
    assert "clapnq" not in again.stdout
    assert f"this run minus {out}" in again.stdout
    assert "wice: right decisions" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--public", "nowhere"], 2, "holds none of the sets"),
        (["--public", ".", "--public-set", "mnist"], 2, "scifact"),
        (["--public", ".", "--thumbs", "t.jsonl"], 2, "not both"),
        (["--public", ".", "--compare", "nowhere"], 2, "holds no public sets"),
        (["--thumbs", "nowhere.jsonl"], 2, "cannot be read"),
    ],
)
def test_wrong_orders_are_told_in_words(arguments, code, told):
    result = CliRunner().invoke(command.app, arguments)
    assert result.exit_code == code
    assert told in result.output
    assert "Traceback" not in result.output
