"""What a start costs: commands that answer nothing load no model library."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL_LIBRARIES = ["torch", "transformers", "sentence_transformers", "openvino", "langchain_huggingface"]
SERVICES = ["langchain_core", "faiss", "bm25s", "gradio", "pyarrow", "pydantic"]

RUN = """
import atexit, sys
watched = {watched!r}
atexit.register(lambda: print([name for name in watched if name in sys.modules], file=sys.stderr))
sys.argv = ["citewise", *{arguments!r}]
from rag.cli.main import main
main()
"""


def started(arguments: list[str]) -> tuple[int, list[str], float]:
    """Exit code, watched libraries that were imported, and CPU seconds of `citewise ARGUMENTS`."""
    code = RUN.format(watched=MODEL_LIBRARIES + SERVICES, arguments=arguments)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return child.returncode, ast.literal_eval(child.stderr.splitlines()[-1]), spent


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["ask", "--help"], 0),
        (["--version"], 0),
        ([], 2),
        (["ask"], 2),
        (["nonsense"], 2),
        (["search", "x", "-k", "0"], 2),
        (["batch", "/nowhere/questions.jsonl"], 2),
    ],
)
def test_help_and_mistakes_load_nothing(arguments: list[str], code: int):
    returned, imported, spent = started(arguments)
    assert returned == code
    assert [name for name in imported if name in MODEL_LIBRARIES] == []
    assert {"langchain_core", "faiss", "bm25s", "gradio"}.isdisjoint(imported)
    assert spent < 1.5  # 0.25 s where it was measured; torch alone is 2 s


def test_doctor_loads_no_model_library():
    _, imported, spent = started(["doctor", "--json"])
    assert [name for name in imported if name in MODEL_LIBRARIES] == []
    assert spent < 4  # it reads every file that a model or an index consists of
