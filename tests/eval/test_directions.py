"""Inside eval/ and training/ imports go one way: eval measures and never knows training, folders go down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A folder or file of eval/ imports itself and what stands before it.
ORDER = ("questions", "metrics", "measure", "ask", "public", "report", "folder", "modes", "command")
FILES = sorted(path for name in ("eval", "training") for path in (ROOT / name).rglob("*.py"))
MODULES = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): path
    for path in FILES
}


def imported(module: str) -> set[str]:
    """The modules of eval/ and training/ that one imports, in functions and under TYPE_CHECKING as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (named & MODULES.keys()) or {node.module}
    return (found & MODULES.keys()) - {module}


def place(module: str) -> int:
    """Where its folder stands in ORDER, from 1; 0 for what is not in it."""
    folder = module.split(".")[1]
    return ORDER.index(folder) + 1 if folder in ORDER else 0


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("eval")])
def test_what_measures_knows_nothing_of_what_makes(module: str) -> None:
    assert not [name for name in imported(module) if name.startswith("training")]


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.split(".")[1:2] and name.split(".")[1] in ORDER]
)
def test_folders_of_eval_import_only_what_stands_before_them(module: str) -> None:
    above = {name for name in imported(module) if name.startswith("eval.") and place(name) > place(module)}
    assert not above


def test_no_circle_among_modules() -> None:
    edges = {module: imported(module) for module in MODULES}
    while free := [module for module, others in edges.items() if not others & edges.keys()]:
        for module in free:
            del edges[module]
    assert not edges
