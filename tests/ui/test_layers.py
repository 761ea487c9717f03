"""Inside the page: state knows no HTML, HTML no Gradio, and only the tabs, the page and the server do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rag.ui

UI = Path(rag.ui.__file__).parent
ROOT = UI.parent.parent
FORBIDDEN = {
    "state": ("rag.ui.html", "rag.ui.tabs", "gradio", "markupsafe", "jinja2"),
    "html": ("rag.ui.tabs", "gradio"),
}
# Of the page's own files above the two folders, which neither of them may import.
ABOVE = (
    "rag.ui.policy",
    "rag.ui.app_state",
    "rag.ui.chat",
    "rag.ui.actions",
    "rag.ui.export",
    "rag.ui.page",
    "rag.ui.server",
)


def imported(path: Path) -> set[str]:
    """Every module that is named in an import of this file, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def under(names: set[str], packages: tuple[str, ...]) -> set[str]:
    return {name for name in names if any(name == p or name.startswith(f"{p}.") for p in packages)}


@pytest.mark.parametrize(
    "path", [path for layer in FORBIDDEN for path in sorted((UI / layer).glob("*.py"))], ids=lambda p: p.name
)
def test_no_arrow_goes_up(path):
    assert not under(imported(path), (*FORBIDDEN[path.parent.name], *ABOVE))


@pytest.mark.parametrize("name", ["app_state", "chat", "actions", "export"])
def test_what_people_do_knows_no_gradio(name):
    assert not under(imported(UI / f"{name}.py"), ("gradio", "rag.ui.tabs", "rag.ui.page", "rag.ui.server"))


def test_there_is_no_circle():
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in UI.rglob("*.py")}
    arrows = {name: imported(path) & set(files) for name, path in files.items()}
    while free := [name for name, others in arrows.items() if not others & set(arrows)]:
        for name in free:
            del arrows[name]
    assert arrows == {}
