"""The house: every room stands on a floor and imports only from lower ones; no circle anywhere.

A room is what one sees on opening `rag/`, or a folder beside it. Read from the syntax trees, so imports in
functions and under TYPE_CHECKING count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Floor -> its rooms. A room imports lower floors only, siblings never each other; inside a room the order is
# free but for circles.
FLOORS: dict[int, str] = {
    1: "rag/types rag/errors rag/text rag/storage prompts vectorstore",  # nouns, strings, files, vectors
    2: "rag/settings rag/ports rag/query rag/readers",  # knobs, Protocols, questions and papers as text
    3: "rag/models rag/index rag/batch rag/web",  # weights; a collection; files of questions; of both servers
    4: "rag/retrieve rag/rerank rag/evidence rag/generate rag/verify rag/ingest rag/serve",  # the stages
    5: "rag/pipeline",  # the only room that knows all stages
    6: "rag/assistant",  # the public class
    7: "rag rag/cli rag/ui",  # doors
    8: "app rag/__main__ eval",  # entries, measuring
    9: "training",  # what makes the weights
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
ROOMS_MAX, FILES_MAX, LINES_MAX = 30, 18, 250

HEAVY = {"torch", "transformers", "sentence_transformers", "langchain_huggingface", "gguf"}
HEAVY |= {"safetensors", "huggingface_hub", "gradio", "openvino", "tokenizers"}
MODEL_LIBRARIES = HEAVY - {"gradio"}
# Made of Gradio's components; loaded by `rag/ui/server` when a page is built, by nobody else.
_TABS = ("widgets", "controls", "export_menu", "chat", "papers", "batch", "upload")
LAYOUT = {"rag/ui/page", *(f"rag/ui/tabs/{name}" for name in _TABS)}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNS_CODE = {"eval", "exec", "compile", "__import__", "torch.load"}
NEVER_ON = {"allow_dangerous_deserialization", "allow_pickle", "trust_remote_code"}


def python_files(*folders: str) -> list[Path]:
    """The Python files of these folders, by path."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """`rag/index/build.py` is rag/index/build, `rag/readers/__init__.py` is rag/readers."""
    return str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__")


def room_of(name: str) -> str:
    """The room of a file: `rag/index/build` stands in rag/index, `eval/ask/ask` in eval."""
    parts = name.split("/")
    return "/".join(parts[: 2 if parts[0] == "rag" else 1])


FILES = {name_of(path): path for path in [ROOT / "app.py", *python_files("rag", "prompts", "vectorstore")]}
BESIDE = {name_of(path): path for path in python_files("eval", "training")}
EVERYTHING = FILES | BESIDE


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted name of everything imported; `from a import b` is a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports out in full"
            assert node.module
            found = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from found
            if not all(name.replace(".", "/") in EVERYTHING for name in found):
                yield node.module


def at_import_time(tree: ast.Module) -> Iterator[str]:
    """What is imported when the module is: not in functions, not under TYPE_CHECKING."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
        pending += ast.iter_child_nodes(node)


def own_imports(tree: ast.AST) -> set[str]:
    """The files of ours that a tree imports."""
    ours = {name.replace("/", "."): name for name in EVERYTHING}
    return {ours[name] for name in imported(tree) if name in ours}


def parsed(name: str) -> ast.Module:
    return ast.parse(EVERYTHING[name].read_text(encoding="utf-8"))


def faults(tree: ast.AST) -> list[str]:
    """Ways to run code that came as data."""
    found = [name for name in imported(tree) if name.partition(".")[0] in PICKLES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found += [called] if called in RUNS_CODE else []
        for option, value in options(node):
            found += [option] if option in NEVER_ON and ast.unparse(value) != "False" else []
    return found


def options(node: ast.AST) -> Iterator[tuple[object, ast.expr]]:
    """Options given as keywords, or as a dictionary that may become keywords."""
    if isinstance(node, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in node.keywords)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield getattr(key, "value", None), value


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Names that reach one another along the edges (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in edges.get(name, set()):
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            place = stack.index(name)
            part = stack[place:]
            del stack[place:]
            found.extend([sorted(part)] if len(part) > 1 else [])

    for name in edges:
        if name not in index:
            visit(name)
    return found


def public_classes(tree: ast.AST) -> list[str]:
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [name for name in names if not name.startswith("_")]


def test_every_room_has_a_floor_and_every_floor_its_rooms() -> None:
    assert sorted(FLOOR_OF) == sorted({room_of(name) for name in EVERYTHING})
    assert sum(len(rooms.split()) for rooms in FLOORS.values()) == len(FLOOR_OF)


def test_there_are_few_rooms_and_floors() -> None:
    assert len(FLOOR_OF) <= ROOMS_MAX
    assert len(FLOORS) <= 9


@pytest.mark.parametrize("name", EVERYTHING)
def test_imports_go_down(name: str) -> None:
    room = room_of(name)
    others = {room_of(other) for other in own_imports(parsed(name))} - {room}
    up = {other: FLOOR_OF[other] for other in others if FLOOR_OF[other] >= FLOOR_OF[room]}
    assert not up, f"{room} is on floor {FLOOR_OF[room]} and imports {up}"


def test_no_file_reaches_itself() -> None:
    edges = {name: own_imports(parsed(name)) - {name} for name in EVERYTHING}
    assert circles(edges) == []


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_file_is_long(name: str) -> None:
    assert EVERYTHING[name].read_text(encoding="utf-8").count("\n") <= LINES_MAX


def test_no_folder_holds_many_files() -> None:
    held = Counter(path.parent for path in python_files("rag"))
    assert {str(folder): count for folder, count in held.items() if count > FILES_MAX} == {}


def test_no_public_class_name_stands_twice() -> None:
    names = Counter(name for file in EVERYTHING for name in public_classes(parsed(file)))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("prompts", "vectorstore"))])
def test_prompts_and_vectors_know_nothing_of_the_rest(name: str) -> None:
    package = name.partition("/")[0]
    assert {other.partition("/")[0] for other in own_imports(parsed(name))} <= {package}


@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_imports_a_door(name: str) -> None:
    doors = {"app"} | ({"rag/cli/main"} if name != "rag/__main__" else set())
    assert not own_imports(parsed(name)) & doors


@pytest.mark.parametrize("name", FILES)
def test_only_models_name_the_model_libraries(name: str) -> None:
    used = {other.partition(".")[0] for other in imported(parsed(name))}
    if not name.startswith("rag/models"):
        assert not used & MODEL_LIBRARIES
    if not name.startswith("rag/ui"):
        assert "gradio" not in used


@pytest.mark.parametrize("name", [name for name in FILES if name not in LAYOUT])
def test_heavy_libraries_are_imported_where_they_are_used(name: str) -> None:
    assert not {other.partition(".")[0] for other in at_import_time(parsed(name))} & HEAVY
    assert not set(at_import_time(parsed(name))) & {layout.replace("/", ".") for layout in LAYOUT}


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_code_comes_as_data(name: str) -> None:
    assert faults(parsed(name)) == []


@pytest.mark.parametrize("name", [name for name in FILES if name != "rag"])
def test_imports_are_written_as_imports(name: str) -> None:
    """Only the lazy front door imports by name, where no syntax tree tells what."""
    assert "importlib.import_module" not in set(imported(parsed(name)))
    assert "import_module" not in ast.dump(parsed(name))


def test_importing_rag_is_cheap() -> None:
    heavy = sorted(HEAVY | {"langchain_core", "faiss", "pydantic", "numpy"})
    code = f"import sys, rag; print([name for name in {heavy!r} if name in sys.modules])"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert child.stdout.strip() == "[]"


def test_the_public_names_are_these() -> None:
    import rag

    assert sorted(rag.__all__) == [
        "Answer", "Assistant", "Citation", "CitewiseError", "Paper", "Passage", "Question",
        "Settings", "Turn",
    ]  # fmt: skip
    assert all(getattr(rag, name).__name__ == name for name in rag.__all__)
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = rag.Nonsense


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import rag.errors", {"rag/errors"}),
        ("from rag import settings, types", {"rag/settings", "rag/types"}),
        ("from rag import Assistant", {"rag"}),
        ("from rag.index.paper_index import open_index", {"rag/index/paper_index"}),
        ("if TYPE_CHECKING:\n    from rag.ui.chat import Chat", {"rag/ui/chat"}),
        ("def f():\n    import app", {"app"}),
        ("from training.logistic import x", {"training/logistic"}),
        ("import ragged, os", set()),
    ],
)
def test_the_reader_of_imports_sees_them_all(source: str, found: set[str]) -> None:
    assert own_imports(ast.parse(source)) == found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from joblib import load", "def f():\n    import dill as d", "eval(x)",
        "exec(x)", "torch.load(x)", "torch.load(x, weights_only=True)", "np.load(x, allow_pickle=True)",
        "F.load_local(x, allow_dangerous_deserialization=True)", "f(**{'trust_remote_code': True})",
    ],
)  # fmt: skip
def test_the_search_for_faults_finds_them(source: str) -> None:
    assert faults(ast.parse(source))


def test_the_search_for_faults_lets_the_rest_pass() -> None:
    fine = '"""no pickle, no eval(x)"""\nmodel.eval()\nre.compile(x)\nnp.load(x, allow_pickle=False)'
    assert faults(ast.parse(fine)) == []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}}) == [
        ["d", "e"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("rag/index/build", "rag/index"),
        ("rag/ui/html/map", "rag/ui"),
        ("eval/ask/ask", "eval"),
        ("rag", "rag"),
    ],
)
def test_a_file_stands_in_a_room(name: str, room: str) -> None:
    assert room_of(name) == room
