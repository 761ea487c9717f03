"""The house: every file stands on a floor and imports only from lower ones.

Read from the syntax trees, so imports inside functions and under TYPE_CHECKING count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Floor -> its files, without `.py`; a package's own file goes by the package's name. A new file has to
# be put here: on the lowest floor above everything it imports, and a door above the assistant.
FLOORS: dict[int, str] = {
    # what an answer is made of
    0: """prompts rag/checksums rag/data rag/errors rag/files rag/fusion rag/journal rag/latex
          rag/logistic rag/models rag/models/graph rag/models/heads rag/models/stopping
          rag/models/tokens rag/models/vectors rag/models/windows rag/readers/paragraphs
          rag/serve rag/terms rag/types rag/ui vectorstore vectorstore/base
          vectorstore/faiss_index vectorstore/rows""",
    1: """rag/addresses rag/cleaning_rules rag/figures rag/generations rag/lexical rag/memory
          rag/models/bert_graph rag/models/chat_tokens rag/models/llama_graph rag/models/prefixes
          rag/models/threads rag/question rag/readers/rows rag/readers/source rag/settings
          rag/spelling rag/stamps vectorstore/coded vectorstore/exact vectorstore/flat""",
    2: """rag/cleaning rag/exchanged rag/models/causal rag/models/decoder rag/models/engine
          rag/models/resolve rag/readers/duplicates rag/readers/jsonl rag/readers/listing
          rag/readers/parquet rag/readers/plaintext rag/readers/table rag/readers/tagged
          rag/readers/xml vectorstore/faiss_store""",
    3: """rag/checks rag/chunking rag/citations rag/index rag/models/convert
          rag/models/openvino_decoder rag/models/torch_decoder rag/readers/arxiv
          rag/readers/bibtex rag/readers/csl rag/readers/nbib rag/readers/openalex
          rag/readers/pubmed rag/readers/ris""",
    4: """rag/drafting rag/embedding rag/followup rag/models/compiled rag/models/merge
          rag/readers""",
    5: """rag/indexing rag/models/encoder rag/models/generator rag/models/hidden""",
    6: """rag/models/chat rag/models/embedder rag/models/judge rag/models/reranker rag/retriever
          rag/verifier""",
    7: """rag/compose rag/evidence rag/grounding rag/ingest rag/models/cross rag/reading""",
    8: """rag/confidence rag/likelihood""",
    9: """rag/finding""",
    10: """rag/preparation""",
    11: """rag/conclusion""",
    12: """rag/pipeline""",
    13: """rag/assistant""",
    # the doors: nothing above this line knows of them
    14: """rag rag/doctor rag/exports rag/question_files rag/serve/bodies rag/serve/bucket
          rag/serve/completion rag/serve/job_folder rag/serve/limits rag/serve/ports
          rag/serve/problems rag/ui/conversation rag/ui/feedback rag/ui/inert rag/ui/line
          rag/ui/projection rag/ui/starters rag/ui/topics rag/ui/widgets""",
    15: """rag/questions rag/results rag/serve/desk rag/serve/guard rag/ui/atlas
          rag/ui/conversations rag/ui/evidence rag/ui/exporting rag/ui/quality""",
    16: """rag/batch rag/serve/metrics rag/serve/service rag/ui/browse rag/ui/drawer rag/ui/guard
          rag/ui/map rag/ui/marks rag/ui/opening rag/ui/uploads""",
    17: """rag/serve/jobs rag/serve/routes rag/serve/tools rag/terminal rag/ui/batch_run
          rag/ui/library rag/ui/render""",
    18: """rag/commands rag/dialogue rag/serve/batch_routes rag/serve/chat_routes
          rag/ui/batch_view rag/ui/chat""",
    19: """rag/serve/server rag/ui/desk""",
    20: """rag/serve/command rag/ui/actions rag/ui/controls rag/ui/export_menu""",
    21: """rag/cli rag/ui/batch_tab rag/ui/chat_tab rag/ui/papers_tab rag/ui/upload_tab""",
    22: """rag/__main__ rag/ui/page""",
    23: """rag/ui/server""",
    24: """app""",
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names.split()}

HEAVY = {"torch", "transformers", "sentence_transformers", "langchain_huggingface", "gguf"}
HEAVY |= {"safetensors", "huggingface_hub", "gradio", "openvino", "tokenizers"}
MODEL_LIBRARIES = HEAVY - {"gradio"}
# Made of Gradio's components; loaded by `rag/ui/server` when a page is built, by nobody else.
LAYOUT = {f"rag/ui/{name}" for name in ("page", "widgets", "controls", "export_menu")}
LAYOUT |= {f"rag/ui/{name}_tab" for name in ("chat", "papers", "batch", "upload")}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNS_CODE = {"eval", "exec", "compile", "__import__", "torch.load"}
NEVER_ON = {"allow_dangerous_deserialization", "allow_pickle", "trust_remote_code"}


def product_files() -> list[Path]:
    """Every Python file that ships."""
    folders = [ROOT / "rag", ROOT / "prompts", ROOT / "vectorstore"]
    return [ROOT / "app.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]


def name_of(path: Path) -> str:
    """As in FLOORS: `rag/index/paper_index.py` is rag/index, `rag/readers/__init__.py` is rag/readers."""
    return str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__")


FILES = {name_of(path): path for path in product_files()}
EVAL = {name_of(path): path for path in sorted((ROOT / "eval").rglob("*.py"))}


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
            if not all(name.replace(".", "/") in FLOOR_OF for name in found):
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
    """The files of ours that a tree imports, named as in FLOORS; `eval/...` too."""
    ours = {name.replace("/", "."): name for name in [*FLOOR_OF, *EVAL]}
    return {ours[name] for name in imported(tree) if name in ours}


def parsed(name: str) -> ast.Module:
    return ast.parse((FILES | EVAL)[name].read_text(encoding="utf-8"))


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


def test_every_file_has_a_floor_and_every_floor_its_files() -> None:
    assert sorted(FLOOR_OF) == sorted(FILES)


def test_no_file_stands_on_two_floors() -> None:
    named = [name for names in FLOORS.values() for name in names.split()]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", FILES)
def test_imports_go_down(name: str) -> None:
    up = {
        other: FLOOR_OF[other]
        for other in own_imports(parsed(name)) - {name}
        if other not in FLOOR_OF or FLOOR_OF[other] >= FLOOR_OF[name]
    }
    assert not up, f"{name} is on floor {FLOOR_OF[name]} and imports {up}"


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(("prompts", "vectorstore"))])
def test_prompts_and_vectors_know_nothing_of_the_rest(name: str) -> None:
    package = name.partition("/")[0]
    assert {other.partition("/")[0] for other in own_imports(parsed(name))} <= {package}


@pytest.mark.parametrize("name", [*FILES, *EVAL])
def test_nothing_imports_a_door(name: str) -> None:
    doors = {"app"} | ({"rag/cli"} if name != "rag/__main__" else set())
    assert not own_imports(parsed(name)) & doors
    if name in FILES:
        assert not [other for other in imported(parsed(name)) if other.partition(".")[0] == "eval"]


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


@pytest.mark.parametrize("name", [*FILES, *EVAL])
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
        ("import rag.index.paper_index", {"rag/index"}),
        ("from rag import index, types", {"rag/index", "rag/types"}),
        ("from rag import Assistant", {"rag"}),
        ("from rag.index.paper_index import open_index", {"rag/index"}),
        ("if TYPE_CHECKING:\n    from rag.ui.chat import Chat", {"rag/ui/chat"}),
        ("def f():\n    import app", {"app"}),
        ("from training.logistic import x", {"eval/fit"}),
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
