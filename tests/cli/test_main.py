from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from fake_assistant import PAPER, FakeAssistant, answer_to
from rich.console import Console
from typer.testing import CliRunner

from rag.cli import doctor, main, opening, terminal
from rag.errors import IndexCorrupt, ModelMissing, ReadError, SettingsError
from rag.settings import Settings
from rag.types import DraftToken, Rejected, StageStarted

HERE = Path(__file__).parents[1]
FAKE = [sys.executable, str(HERE / "fake_assistant.py")]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]),
}


@pytest.fixture
def fake(monkeypatch):
    """The assistant every command gets; `opened` holds what it was opened with."""
    assistant = FakeAssistant()
    assistant.opened = []

    def open_fake(papers, collection, settings, progress):
        assistant.opened.append((papers, collection, settings.strict))
        progress("embedding", 1, 2)
        return assistant

    monkeypatch.setattr(opening, "open_assistant", open_fake)
    return assistant


def call(*arguments, stdin=None):
    return CliRunner().invoke(main.app, [str(item) for item in arguments], input=stdin)


def test_ask_shows_answer_citation_quote_and_confidence(fake):
    result = call("ask", "plain question")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Echo: plain question [1]" in result.stdout
    assert "[1] Tagging [red]news[/red] (2020) https://example.org/p1" in result.stdout
    assert "    “It reaches 97.1 accuracy on news.”" in result.stdout
    assert "answered, confidence 0.88" in result.stdout
    assert fake.opened == [(None, "default", False)]


def test_ask_json_is_the_public_object(fake):
    result = call("ask", "plain é", "--json", "--papers", "my.bib", "--strict")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == answer_to("plain é", None, "f" * 16).to_dict()
    assert fake.opened == [("my.bib", "default", True)]


def test_ask_abstains_with_exit_0_and_names_the_closest_papers(fake):
    result = call("ask", "unknown", "--collection", "other")
    assert result.exit_code == 0
    assert "No paper here answers that." in result.stdout
    assert "closest: Tagging [red]news[/red]" in result.stdout
    assert "abstained (no_evidence), confidence 0.10" in result.stdout
    assert fake.opened == [(None, "other", False)]


def test_ask_that_fails_says_so_on_stderr(fake):
    result = call("ask", "fail")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "the generator broke" in result.stderr
    assert "Ask again." in result.stderr


def test_ask_takes_undecodable_arguments(fake):
    assert call("ask", "plain \udcff", "--json").exit_code == 0
    assert fake.asked == ["plain \ufffd"]


@pytest.mark.parametrize(
    ("error", "code"), [(ModelMissing, 1), (IndexCorrupt, 1), (ReadError, 2), (SettingsError, 2)]
)
def test_errors_show_message_and_hint(monkeypatch, error, code):
    def fail(*_):
        raise error("it is\x1b[31m broken", hint="mend [bold]it[/bold]")

    monkeypatch.setattr(opening, "open_assistant", fail)
    for command in (["ask", "x"], ["chat"], ["search", "x"]):
        result = call(*command)
        assert result.exit_code == code
        assert result.stdout == ""
        assert result.stderr == "Error: it is broken\nmend [bold]it[/bold]\n"


def test_a_bug_is_not_hidden(monkeypatch):
    monkeypatch.setattr(opening, "open_assistant", lambda *_: 1 / 0)
    assert isinstance(call("ask", "x").exception, ZeroDivisionError)


def test_chat_keeps_and_forgets_history(fake):
    result = call("chat", stdin="plain one\n\nunknown two\nfail\nplain three\n/new\nplain four\n")
    assert result.exit_code == 0
    said = [[turn.content for turn in history] for history in fake.histories]
    first = ["plain one", "Echo: plain one [1]"]
    second = ["unknown two", "No paper here answers that."]
    assert said == [[], first, first + second, first + second, []]
    assert "the generator broke" in result.stderr
    assert "Echo: plain four [1]" in result.stdout


def test_chat_ends_at_quit(fake):
    assert call("chat", stdin="/quit\nplain one\n").exit_code == 0
    assert fake.asked == []


def test_search(fake):
    shown, found = call("search", "news", "-k", 3), call("search", "news", "--json")
    assert "1. Tagging [red]news[/red] (2020) https://example.org/p1  0.5000" in shown.stdout
    assert "We train a tagger." in shown.stdout
    (paper,) = json.loads(found.stdout)
    assert (paper["paper_id"], paper["rank"], paper["score"]) == ("p1", 1, 0.5)
    assert call("search", "news", "-k", 0).exit_code == 2


def test_batch_from_file_to_file(fake, tmp_path):
    source, output = tmp_path / "q.csv", tmp_path / "out.csv"
    source.write_text("question\nplain\nquote\nunknown\n")
    result = call("batch", source, "-o", output)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "3 rows: 1 answered, 1 quoted, 1 abstained, 0 failed" in result.stderr
    with output.open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["1", "2", "3"]


def test_batch_through_pipes(fake):
    result = call("batch", "-", stdin='{"id": "x", "question": "plain"}\n{"question": 3}\n')
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["id"], row["status"]) for row in rows] == [("x", "answered"), ("2", "error")]
    assert "1 failed" in result.stderr


def test_batch_limit_resume_and_restart(fake, tmp_path):
    source, output = tmp_path / "q.txt", tmp_path / "out.jsonl"
    source.write_text("one\ntwo\nthree\n")
    assert "1 rows:" in call("batch", source, "-o", output, "--limit", 1).stderr
    assert "3 rows (1 from an earlier run)" in call("batch", source, "-o", output).stderr
    assert "3 rows:" in call("batch", source, "-o", output, "--restart").stderr
    fake.fingerprint = "0" * 16
    refused = call("batch", source, "-o", output)
    assert refused.exit_code == 1
    assert "--restart" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.jsonl"], "missing.jsonl"),
        (["q.xlsx"], "Use .jsonl"),
        (["q.txt", "-o", "out.xlsx"], "out.xlsx"),
        (["q.txt", "-o", "q.txt"], "q.txt"),
        (["q.jsonl", "-o", "q.jsonl"], "is the input itself"),
        (["text.csv"], "no `question` column"),
        (["q.txt", "--limit", "0"], "limit"),
        (["q.txt", "--nonsense"], "nonsense"),
        ([], "INPUT"),
    ],
)
def test_batch_usage_and_unreadable_input_exit_2(fake, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    for name in ("q.txt", "q.xlsx", "q.jsonl"):
        Path(name).write_text('{"question": "x"}\n')
    Path("text.csv").write_text("text\nx\n")
    result = call("batch", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert fake.opened == []


def test_batch_with_a_broken_assistant_keeps_the_old_output(monkeypatch, tmp_path):
    source, output = tmp_path / "q.txt", tmp_path / "out.jsonl"
    source.write_text("one\n")
    output.write_text("kept")

    def fail(*_):
        raise ModelMissing("no model", hint="get one")

    monkeypatch.setattr(opening, "open_assistant", fail)
    assert call("batch", source, "-o", output, "--restart").exit_code == 1
    assert output.read_text() == "kept"


def slow_batch(tmp_path, *arguments, **options):
    source = tmp_path / "q.txt"
    source.write_text("".join(f"question {number}\n" for number in range(2000)))
    return subprocess.Popen(
        [*FAKE, "batch", source, *arguments],
        env={**ENVIRONMENT, "FAKE_DELAY_S": "0.005"},
        stderr=subprocess.PIPE,
        # Under nohup the child would inherit an ignored SIGINT, and Ctrl-C would rightly do nothing.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one thread
        **options,
    )


def test_ctrl_c_keeps_the_output_and_says_how_to_resume(tmp_path):
    output = tmp_path / "out.jsonl"
    child = slow_batch(tmp_path, "-o", output)
    while not (output.exists() and output.stat().st_size):
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert b"the same command completes it" in err
    assert b"Traceback" not in err
    assert output.read_bytes().endswith(b"}\n")


def test_a_closed_pipe_is_silent(tmp_path):
    child = slow_batch(tmp_path, stdout=subprocess.PIPE)
    assert child.stdout.readline()
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait(timeout=20) == 141
    assert err == b""


@dataclass
class Report:
    added: int = 3
    updated: int = 1
    removed: int = 0
    unchanged: int = 2
    rejected: tuple[Rejected, ...] = ()
    total: int = 6


@pytest.fixture
def ingested(monkeypatch):
    """A stand-in for `rag.ingest`: keeps what it was called with."""
    calls = []

    def run(paths, **options):
        calls.append((paths, options))
        rejected = tuple(Rejected("x.bib", line, "no \x1b[1mabstract") for line in range(1, 26))
        return Report(rejected=rejected)

    module = ModuleType("rag.ingest")
    module.ingest = run
    monkeypatch.setitem(sys.modules, "rag.ingest", module)
    return calls


def test_ingest_sums_up_and_lists_the_first_rejected_rows(ingested):
    result = call("ingest", "x.bib", "y", "--collection", "c", "--remove", "p1", "--replace")
    assert result.exit_code == 0
    assert result.stdout == ("3 added, 1 updated, 0 removed, 2 unchanged, 25 rejected; 6 papers in 'c'\n")
    lines = result.stderr.splitlines()
    assert lines[0] == "rejected x.bib:1: no abstract"
    assert lines[19:] == ["rejected x.bib:20: no abstract", "and 5 more"]
    ((paths, options),) = ingested
    assert paths == [Path("x.bib"), Path("y")]
    assert (options["collection"], options["remove"], options["replace"]) == ("c", ["p1"], True)


def test_ingest_needs_something_to_do(ingested):
    assert call("ingest").exit_code == 2
    assert call("ingest", "--remove", "p1").exit_code == 0


@dataclass
class Status:
    name: str
    role: str
    path: Path | None
    ok: bool
    detail: str
    hint: str = ""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with two packages, one model, an empty cache; tests change what it holds."""
    found = [Status("m", "embedder", Path("/m"), True, "sha256 abc")]
    module = ModuleType("rag.models.weights")
    module.model_status = lambda _: found
    monkeypatch.setitem(sys.modules, "rag.models.weights", module)
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor, "requirements", lambda: ["rich>=13", "typer>=0.15"])
    return found


def test_doctor_is_content(machine):
    result, as_json = call("doctor"), call("doctor", "--json")
    assert result.exit_code == as_json.exit_code == 0
    assert all(line.startswith("ok ") for line in result.stdout.splitlines())
    found = json.loads(as_json.stdout)
    assert found["ok"]
    names = [check["name"] for check in found["checks"]]
    assert names == ["python", "rich", "typer", "embedder m", "index", "cache", "network"]
    assert set(found["checks"][0]) == {"name", "ok", "detail", "fix"}


def test_doctor_names_the_command_that_mends(machine, monkeypatch):
    monkeypatch.setattr(doctor, "requirements", lambda: ["rich>=99,<100", "no-such-package>=1"])
    machine.append(Status("g", "generator", None, False, "not installed", "Run: pip install g"))
    result = call("doctor")
    assert result.exit_code == 1
    assert "missing  rich" in result.stdout
    assert 'pip install "rich>=99,<100"' in result.stdout
    assert 'pip install "no-such-package>=1"' in result.stdout
    assert "-> Run: pip install g" in result.stdout
    assert not json.loads(call("doctor", "--json").stdout)["ok"]


@pytest.mark.parametrize(
    ("seen", "requirement", "ok"),
    [
        ("2.0", "numpy>=2", True),
        ("1.26.4", "numpy>=2", False),
        ("5.9", "x>=5.5,<6", True),
        ("6.0.0rc1", "x>=5.5,<6", False),
        ("2.13.0+cpu", "torch>=2.6", True),
        ("1.0", "y", True),
        ("1.0", 'y[extra]>=0.9; python_version > "3"', True),
    ],
)
def test_package_bounds(monkeypatch, seen, requirement, ok):
    monkeypatch.setattr(doctor.metadata, "version", lambda _: seen)
    assert doctor._package(requirement).ok == ok


def test_doctor_reads_the_requirements_of_the_project():
    names = [re.split(r"[<>=!~;\[ ]", item)[0] for item in doctor.requirements()]
    assert {"torch", "faiss-cpu", "typer"} <= set(names)
    assert "ruff" not in names


class Opened(list[int]):
    """An index of two papers."""

    def __init__(self, *, is_outdated: bool) -> None:
        super().__init__([1, 2])
        self.manifest = SimpleNamespace(is_outdated=is_outdated)


def test_doctor_looks_at_indexes(machine, monkeypatch, tmp_path):
    (tmp_path / "cache" / "index" / "default").mkdir(parents=True)
    module = ModuleType("rag.index.paper_index")

    def damaged(folder, *, outdated):
        raise IndexCorrupt(f"{folder.name} is damaged", hint="Build it again")

    module.open_index = damaged
    monkeypatch.setitem(sys.modules, "rag.index.paper_index", module)
    assert "default is damaged\n         -> Build it again" in call("doctor").stdout
    module.open_index = lambda _, *, outdated: Opened(is_outdated=False)
    assert "2 papers, checksums match\n" in call("doctor").stdout
    module.open_index = lambda _, *, outdated: Opened(is_outdated=True)
    assert "2 papers, checksums match; of an earlier format" in call("doctor").stdout


def test_doctor_names_a_cache_that_cannot_be_written(machine, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    result = call("doctor")
    assert result.exit_code == 1
    assert "CITEWISE_CACHE_DIR" in result.stdout


def test_models(machine):
    assert "ok       embedder m" in call("models").stdout
    assert json.loads(call("models", "--json").stdout)[0]["path"] == "/m"


def test_a_bad_setting_exits_2(machine, monkeypatch):
    monkeypatch.setenv("CITEWISE_SUPPORT_MIN", "7")
    result = call("doctor")
    assert result.exit_code == 2
    assert "support_min" in result.stderr


def test_version():
    assert call("--version").stdout == f"citewise {doctor.version()}\n"


def test_help_is_quick_and_loads_no_model_code():
    heavy = "torch transformers gradio langchain_core sentence_transformers faiss pyarrow numpy"
    code = (
        "import sys, time, rag.cli.main\n"
        "try: rag.cli.main.app(['batch', '--help'])\n"
        "except SystemExit as exc: assert not exc.code\n"
        f"bad = [name for name in {heavy.split()} if name in sys.modules]\n"
        "print('LOADED', bad, 'CPU', time.process_time(), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert "--restart" in done.stdout
    _, loaded, _, cpu_s = done.stderr.split()
    assert loaded == "[]"
    assert float(cpu_s) < 0.5


def test_doctor_and_models_load_no_torch():
    code = (
        "import sys, rag.cli.main\n"
        "for command in ('doctor', 'models'):\n"
        "    try: rag.cli.main.app([command, '--json'])\n"
        "    except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢字 👩‍👩‍👧\nnext", "plain é 漢字 👩‍👩‍👧\nnext"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x9b31mred", "red"),
        ("\x1bcreset\x00\x08\x7f", "creset"),
        ("a\tb\rc", "a bc"),
        ("\u202eevil\u2066x\u200f", "evilx"),
        ("\ud800", "\ufffd"),
        ("\U000e0041hidden", "hidden"),
    ],
)
def test_printable(text, shown):
    assert terminal.printable(text) == shown


def test_a_hostile_title_is_text(capsys):
    console = Console(file=sys.stdout, force_terminal=False, width=200)
    hostile = "[red]x[/red]\x1b]0;owned\x07\u202e"
    paper = type(PAPER)("p", hostile, "a\x1b[2Jb")
    terminal.show_passages([type(FakeAssistant().search("x")[0])(paper, 1, 0.1)], console)
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert not set(out) & set("\x1b\x07\u202e")


def test_a_draft_is_shown_apart_from_the_answer(capsys):
    console = Console(file=sys.stderr, width=200)
    answer = terminal.show_stream(FakeAssistant().stream("plain"), console)
    captured = capsys.readouterr()
    assert answer.text == "Echo: plain [1]"
    assert captured.out == ""
    assert "draft" in captured.err
    assert "\x1b" not in captured.err


def test_a_draft_begun_anew_stands_on_a_line_of_its_own(capsys):
    with pytest.raises(Exception, match="broke off"):
        terminal.show_stream(
            [
                StageStarted("writing", 0.0),
                DraftToken("One."),
                StageStarted("writing", 1.0),
                DraftToken("Two."),
            ],
            Console(stderr=True),
        )
    assert capsys.readouterr().err == "One.\n\nTwo."


def test_a_stream_without_an_end_is_an_error():
    with pytest.raises(Exception, match="broke off"):
        terminal.show_stream([DraftToken("x")], Console(stderr=True))


def test_no_color(fake, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[3" not in call("ask", "plain").stdout


def test_settings_reach_the_assistant(fake, monkeypatch):
    monkeypatch.setenv("CITEWISE_STRICT", "true")
    call("ask", "plain")
    assert fake.opened == [(None, "default", True)]
    assert Settings.load().strict


@pytest.mark.parametrize(
    ("done", "total", "lately", "seconds", "told"),
    [
        (120, 600, 120, 10.0, "120 of 600, 12 a second, 40 s left"),
        (1000, 42000, 500, 20.0, "1000 of 42000, 25 a second, 27 min left"),
        (500, 0, 500, 2.0, "500, 250 a second"),
        (600, 600, 600, 10.0, "600 of 600, 60 a second"),
        (7, 9, 0, 10.0, "7 of 9"),
        (7, 9, 7, 0.0, "7 of 9"),
    ],
)
def test_pace(done, total, lately, seconds, told):
    assert terminal.pace(done, total, lately, seconds) == told


def test_what_a_journal_knew_does_not_count_as_pace(monkeypatch):
    """25,000 of 60,000 at once, then 30 a second: 60,000 - 27,100 = 32,900 left are 1,097 s."""
    out = io.StringIO()
    clock = iter([0.0, 0.0, 1.0, *range(11, 72, 10)])
    monkeypatch.setattr(terminal, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    report = terminal._plain_lines(Console(file=out, width=200))
    report("embedding", 256, 60_000)
    report("embedding", 25_000, 60_000)
    for turn in range(1, 8):
        report("embedding", 25_000 + 300 * turn, 60_000)
    assert out.getvalue().splitlines()[-1] == "embedding: 27100 of 60000, 30 a second, 18 min left"
