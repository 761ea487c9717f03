"""Commands of other packages: found by entry point, loaded only when asked for, never in place of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli import main, plugins

ROOT = Path(__file__).parents[2]
PLUGIN = (
    "import typer\nprint('loaded')\napp = typer.Typer()\n\n"
    "@app.command()\ndef greet(name: str) -> None:\n    typer.echo(f'hello {name}')\n"
)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages with one plug-in, under two names."""
    (tmp_path / "greeting_plugin.py").write_text(PLUGIN)
    info = tmp_path / "greeting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    points = "[citewise.commands]\ngreet = greeting_plugin:app\nask = greeting_plugin:app\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("greeting_plugin", None)


def call(*arguments):
    return CliRunner().invoke(main.app, list(arguments))


def test_a_plugged_command_runs_and_is_listed_last(site):
    assert "hello world" in call("greet", "world").stdout
    lines = call("--help").stdout.split("Commands:")[1].splitlines()
    listed = [line.split()[0] for line in lines if line.strip()]
    assert listed.index("greet") > listed.index("models")
    assert listed.count("ask") == 1


def test_it_is_not_loaded_for_other_commands(site):
    result = call("ask", "--help")
    assert "Answer one question" in result.stdout
    assert "greeting_plugin" not in sys.modules


def test_our_commands_cannot_be_replaced(site):
    assert "loaded" not in call("ask", "--help").stdout


def test_an_unknown_command_is_a_usage_error(site):
    result = call("nonsense")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_the_project_plugs_eval_in():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][plugins.GROUP] == {"eval": "eval.command:app"}


def test_help_with_eval_loads_no_model_library(tmp_path):
    info = tmp_path / "citewise_here-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: citewise-here\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citewise.commands]\neval = eval.command:app\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]\n"
        "from typer.testing import CliRunner\nfrom rag.cli import main as cli\n"
        "shown = CliRunner().invoke(cli.app, ['--help']).stdout\n"
        "assert 'eval' in shown and 'eval.command' in sys.modules\n"
        "heavy = {'torch', 'transformers', 'numpy', 'langchain_core', 'faiss', 'pydantic'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert child.stdout.strip() == "[]"
