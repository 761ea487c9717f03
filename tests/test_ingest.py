"""FLOW 2: what is embedded, what is written, and what is left when a process is killed half-way."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import DIMENSION, GALORE, MONARCH, PAPERS, RETRO, HashEmbeddings, chunks_of, fake_embedder

from rag.errors import IndexBusy, IndexMismatch, OutputError, ReadError
from rag.index.build import IngestReport, ingest_papers
from rag.index.embedding import Embedder
from rag.index.manifest import content_digest
from rag.index.paper_index import PaperIndex, open_index
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root, ingest
from rag.settings import Settings
from rag.types import Paper
from vectorstore.base import VectorStoreError

HERE = Path(__file__).parent


class Workshop:
    """A collection and the embedder that fills it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.embedder = fake_embedder()
        self.settings = Settings.load()

    @property
    def model(self) -> HashEmbeddings:
        assert isinstance(self.embedder.model, HashEmbeddings)
        return self.embedder.model

    def ingest(self, *papers: Paper, **options: object) -> IngestReport:
        """Ingest and forget what was embedded before, so that `model.embedded` is of this call."""
        self.model.embedded.clear()
        return ingest_papers(self.root, papers, self.embedder, self.settings, **options)  # type: ignore[arg-type]

    def open(self) -> PaperIndex:
        return open_index(self.root, embedding_checksum=self.embedder.checksum)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "collection")


def test_a_collection_changes_its_kind_as_it_grows_and_shrinks(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vectorstore.faiss_store.FLAT_BELOW", 12)
    kinds = []
    for papers, remove in ((PAPERS[:2], []), (PAPERS[2:], []), ([], [p.paper_id for p in PAPERS[1:]])):
        shop.ingest(*papers, remove=remove)
        kinds.append((shop.open().store.kind, len(shop.open().store) < 12))
    assert kinds == [("flat", True), ("coded", False), ("flat", True)]
    assert_complete(shop.open(), [PAPERS[0]])


def counts(report: IngestReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.removed, report.unchanged, report.total


def texts_of(index: PaperIndex, *papers: Paper) -> list[str]:
    """What has to be embedded for these papers, in any order."""
    return sorted(chunk.text for paper in papers for chunk in chunks_of(paper, index.manifest.views))


def assert_complete(index: PaperIndex, papers: list[Paper]) -> None:
    """Papers, vectors, BM25 and manifest tell of exactly these papers."""
    views = index.manifest.views
    ordered = sorted(papers, key=lambda paper: paper.paper_id)
    assert list(index.all_papers()) == ordered
    chunks = {chunk.chunk_id: chunk.text for paper in papers for chunk in chunks_of(paper, views)}
    assert set(index.store.ids()) == set(chunks)
    rows = np.reshape(HashEmbeddings().embed_documents(list(chunks.values())), (-1, DIMENSION))
    assert np.allclose(index.store.vectors(list(chunks)), rows, atol=1e-6)
    assert len(index.lexical) == len(index) == index.manifest.papers == len(papers)
    assert index.manifest.vectors == len(chunks)
    assert index.manifest.content == content_digest(papers, index.manifest.embedding_checksum, views)


def everything_under(root: Path) -> dict[str, tuple[int, int]]:
    """Each file with when it was last written; the lock is not part of the collection."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in root.rglob("*")
        if path.name != ".lock"
    }


def test_a_new_collection(shop: Workshop) -> None:
    assert counts(shop.ingest(MONARCH, RETRO)) == (2, 0, 0, 0, 2)
    assert_complete(shop.open(), [MONARCH, RETRO])


def test_adding_embeds_the_new_papers_only(shop: Workshop) -> None:
    shop.ingest(MONARCH, RETRO)
    assert counts(shop.ingest(GALORE)) == (1, 0, 0, 0, 3)
    assert sorted(shop.model.embedded) == texts_of(shop.open(), GALORE)
    assert_complete(shop.open(), [MONARCH, RETRO, GALORE])


def test_updating_embeds_the_changed_paper_only_and_forgets_the_old_text(shop: Workshop) -> None:
    shop.ingest(*PAPERS)
    changed = replace(RETRO, abstract="Retro-Li was withdrawn.")
    assert counts(shop.ingest(*[changed if p is RETRO else p for p in PAPERS])) == (0, 1, 0, 4, 5)
    index = shop.open()
    assert sorted(shop.model.embedded) == texts_of(index, changed)
    assert_complete(index, [changed if paper is RETRO else paper for paper in PAPERS])
    assert all(paper_id != "retro" for paper_id, _ in index.lexical.search("database", 9))


def test_removing_embeds_nothing(shop: Workshop) -> None:
    shop.ingest(*PAPERS)
    assert counts(shop.ingest(remove=["retro", "nobody"])) == (0, 0, 1, 0, 4)
    assert shop.model.embedded == []
    assert_complete(shop.open(), [paper for paper in PAPERS if paper is not RETRO])


def test_a_collection_may_be_emptied_and_filled_again(shop: Workshop) -> None:
    shop.ingest(MONARCH)
    shop.ingest(remove=["monarch"])
    assert_complete(shop.open(), [])
    shop.ingest(RETRO)
    assert_complete(shop.open(), [RETRO])


def test_an_empty_collection(shop: Workshop) -> None:
    assert counts(shop.ingest()) == (0, 0, 0, 0, 0)
    assert_complete(shop.open(), [])


def test_papers_without_words_are_kept(shop: Workshop) -> None:
    shop.ingest(Paper("empty", "!!!", ""), Paper("space", "", " \n "), MONARCH)
    assert len(shop.open()) == 3


def test_reading_the_same_again_writes_nothing(shop: Workshop) -> None:
    shop.ingest(*PAPERS)
    before = everything_under(shop.root)
    assert counts(shop.ingest(*PAPERS)) == (0, 0, 0, 5, 5)
    assert shop.model.embedded == []
    assert everything_under(shop.root) == before


def test_a_paper_read_from_a_second_place_keeps_both(shop: Workshop) -> None:
    shop.ingest(replace(MONARCH, origins=("a.txt",)))
    shop.ingest(replace(MONARCH, origins=("b.txt",)))
    assert next(shop.open().all_papers()).origins == ("a.txt", "b.txt")
    before = everything_under(shop.root)
    shop.ingest(replace(MONARCH, origins=("a.txt",)))
    assert everything_under(shop.root) == before


def test_starting_over_forgets_the_old_papers(shop: Workshop) -> None:
    shop.ingest(*PAPERS)
    assert counts(shop.ingest(MONARCH, start_over=True)) == (1, 0, 0, 0, 1)
    assert_complete(shop.open(), [MONARCH])


def test_starting_over_mends_a_damaged_index(shop: Workshop) -> None:
    shop.ingest(*PAPERS)
    (shop.root / "CURRENT").write_text("rubbish")
    shop.ingest(*PAPERS, start_over=True)
    assert_complete(shop.open(), list(PAPERS))


def test_another_model_is_refused_and_changes_nothing(shop: Workshop) -> None:
    shop.ingest(MONARCH)
    before = everything_under(shop.root)
    other = fake_embedder("hash-b")
    with pytest.raises(IndexMismatch, match="hash-a") as caught:
        ingest_papers(shop.root, [RETRO], other, shop.settings)
    assert other.checksum[:12] in caught.value.message
    assert everything_under(shop.root) == before
    ingest_papers(shop.root, [RETRO], other, shop.settings, start_over=True)
    assert open_index(shop.root).manifest.embedding_model == "hash-b"


def test_vectors_that_are_not_unit_length_are_made_so(shop: Workshop) -> None:
    class Long(HashEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[7 * x for x in row] for row in super().embed_documents(texts)]

    shop.embedder = Embedder(Long(), "long", "c" * 64)
    shop.ingest(MONARCH)
    assert_complete(shop.open(), [MONARCH])
    encoder = QueryEncoder(Long())
    rows = [encoder.query("throughput"), *encoder.passages(["throughput", ""])]
    assert np.allclose([np.linalg.norm(row) for row in rows], 1.0, atol=1e-6)


def test_an_open_index_outlives_the_next_ingestion(shop: Workshop) -> None:
    shop.ingest(MONARCH)
    index = shop.open()
    shop.ingest(RETRO)
    assert_complete(index, [MONARCH])


def test_old_generations_and_scraps_do_not_pile_up(shop: Workshop) -> None:
    (shop.root / ".new-scrap").mkdir(parents=True)
    for number in range(5):
        shop.ingest(replace(MONARCH, abstract=f"Version {number}."))
    kept = sorted(path.name for path in shop.root.iterdir())
    assert kept == [".lock", "CURRENT", "gen-000004", "gen-000005"]


def test_progress_counts_up_to_the_end(shop: Workshop) -> None:
    told: list[tuple[str, int, int]] = []
    shop.ingest(*PAPERS, progress=lambda *step: told.append(step))
    assert told[-1] == ("embedding", len(PAPERS), len(PAPERS))  # an abstract each


class Slow(HashEmbeddings):
    """Holds an ingestion half-way until the test lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.released = threading.Event(), threading.Event()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.reached.set()
        assert self.released.wait(30)
        return super().embed_documents(texts)


def test_a_second_writer_is_told_who_writes(shop: Workshop) -> None:
    slow = Slow()
    shop.embedder = Embedder(slow, "slow", "s" * 64)
    first = threading.Thread(target=shop.ingest, args=(MONARCH,))
    first.start()
    try:
        assert slow.reached.wait(30)
        with pytest.raises(IndexBusy, match=f"process {os.getpid()} is writing"):
            ingest_papers(shop.root, [RETRO], fake_embedder(), shop.settings)
    finally:
        slow.released.set()
        first.join()
    assert_complete(shop.open(), [MONARCH])
    shop.ingest(RETRO)
    assert len(shop.open()) == 2


class Broken(HashEmbeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise MemoryError


def test_an_ingestion_that_fails_leaves_the_old_one(shop: Workshop) -> None:
    shop.ingest(MONARCH)
    before = everything_under(shop.root)
    with pytest.raises(MemoryError):
        ingest_papers(shop.root, [RETRO], replace(shop.embedder, model=Broken()), shop.settings)
    assert everything_under(shop.root) == before


@pytest.mark.parametrize(
    ("place", "refusal"),
    [
        ("rag.index.build.write_papers", sqlite3.OperationalError("database or disk is full")),
        ("rag.index.build.FaissStore.save", VectorStoreError("No space left on device")),
        ("rag.index.build.LexicalIndex.save", OSError(28, "No space left on device")),
        ("rag.index.build.write_manifest", PermissionError(13, "Permission denied")),
    ],
    ids=["papers", "vectors", "lexical", "manifest"],
)
def test_a_full_disk_leaves_the_old_one(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, place: str, refusal: Exception
) -> None:
    def refuse(*args: object) -> None:
        raise refusal

    shop.ingest(MONARCH)
    before = everything_under(shop.root)
    with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
        patch.setattr(place, refuse)
        shop.ingest(RETRO)
    assert caught.value.__cause__ is refusal
    assert str(shop.root) in caught.value.message
    assert str(refusal) in caught.value.message
    assert "the old index is untouched" in caught.value.hint
    assert "CITEWISE_CACHE_DIR" in caught.value.hint
    assert everything_under(shop.root) == before
    shop.ingest(RETRO)
    assert_complete(shop.open(), [MONARCH, RETRO])


@pytest.mark.parametrize("where", ["collection", "collection/.lock"])
def test_a_place_that_cannot_be_written_is_named(shop: Workshop, where: str) -> None:
    blocked = shop.root.parent / where
    if blocked == shop.root:
        blocked.write_text("a file where the folder should be")
    else:
        blocked.mkdir(parents=True)
    with pytest.raises(OutputError) as caught:
        shop.ingest(MONARCH)
    assert isinstance(caught.value.__cause__, OSError)
    assert str(shop.root) in caught.value.message
    assert "CITEWISE_CACHE_DIR" in caught.value.hint


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> HashEmbeddings:
    """`ingest` with hash embeddings where it would open MiniLM."""
    embedder = fake_embedder()
    monkeypatch.setattr("rag.ingest.open_embedder", lambda settings: embedder)
    assert isinstance(embedder.model, HashEmbeddings)
    return embedder.model


def test_files_in_bad_rows_out(tmp_path: Path, fake_models: HashEmbeddings) -> None:
    source = tmp_path / "papers.jsonl"
    rows = [{"title": p.title, "abstract": p.abstract} for p in PAPERS]
    lines = [*map(json.dumps, rows[:2]), '{"title": "No abstract"}', "{broken", json.dumps(rows[2])]
    source.write_text("\n".join(lines) + "\n")
    settings = Settings.load()
    report = ingest([source], collection="mine", settings=settings)
    assert counts(report) == (3, 0, 0, 0, 3)
    assert [row.line for row in report.rejected] == [3, 4]
    assert all(row.reason and source.name in row.origin for row in report.rejected)
    index = open_index(collection_root(settings, "mine"))
    assert {paper.title for paper in index.all_papers()} == {row["title"] for row in rows[:3]}


def test_an_unreadable_file_leaves_the_collection(tmp_path: Path, fake_models: HashEmbeddings) -> None:
    settings = Settings.load()
    good, empty = tmp_path / "good.jsonl", tmp_path / "empty.jsonl"
    good.write_text(json.dumps({"title": MONARCH.title, "abstract": MONARCH.abstract}) + "\n")
    empty.write_text("")
    ingest([good], collection="mine", settings=settings)
    before = everything_under(collection_root(settings, "mine"))
    for bad in (empty, tmp_path / "missing.jsonl"):
        with pytest.raises(ReadError) as caught:
            ingest([good, bad], collection="mine", settings=settings, replace=True)
        assert str(bad) in caught.value.message
        assert caught.value.hint
    assert everything_under(collection_root(settings, "mine")) == before


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a\\b", "~", "a b", "a\0b", "."])
def test_a_collection_name_is_no_path(name: str) -> None:
    settings = Settings.load()
    with pytest.raises(ReadError):
        collection_root(settings, name)


# -- kill -9 ------------------------------------------------------------------------------------

COUNT = 8  # papers of every version


def version(number: int) -> list[Paper]:
    """A collection in which every paper says which version it is; odd versions hold one more."""
    papers = [
        Paper(f"p{i}", f"Paper {i}", f"This is version {number} of paper {i}. It has {i} tables.")
        for i in range(COUNT)
    ]
    return [*papers, Paper("odd", "Odd", f"Version {number} is odd.")] if number % 2 else papers


# Imports once, then forks a writer whenever it is asked to: Python's start-up is not what is tested.
# The disk is made slow, so that most kills fall between the first file and CURRENT.
WRITERS = """
import os, sys, time
import bm25s  # before the fork: it takes longer than a write
from pathlib import Path
from fakes import fake_embedder
from rag.index.build import ingest_papers
from rag.index.query_encoder import QueryEncoder
from rag.settings import Settings
from test_ingest import version

root, settings, embedder = Path(sys.argv[1]), Settings.load(), fake_embedder()
sync = os.fsync
os.fsync = lambda file: (time.sleep(0.003), sync(file))
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child:
        print("pid", child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
    else:
        number = int(line)
        while True:
            number += 1
            remove = [] if number % 2 else ["odd"]
            ingest_papers(root, version(number), embedder, settings, remove=remove)
            print("done", number, flush=True)
"""


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITERS, str(tmp_path / "collection")],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]),
            "OMP_NUM_THREADS": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()
    child.communicate()


def killed_after(writers: subprocess.Popen[str], last: int, delay_s: float) -> int:
    """Let a writer run from version `last` on, kill it, and return the last version it finished."""
    assert writers.stdin and writers.stdout
    writers.stdin.write(f"{last}\n")
    writers.stdin.flush()
    pid = int(writers.stdout.readline().split()[1])
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)
    while (line := writers.stdout.readline()) != "gone\n":
        assert line.startswith("done"), line
        last = int(line.split()[1])
    return last


@pytest.mark.timeout(180)
def test_killed_at_any_moment_the_index_is_the_old_or_the_new_one(
    shop: Workshop, writers: subprocess.Popen[str]
) -> None:
    assert writers.stdout
    assert writers.stdout.readline() == "ready\n"
    chance = random.Random(11)
    shop.ingest(*version(0))
    last, scraps = 0, 0
    for _ in range(15):
        finished = killed_after(writers, last, chance.uniform(0.01, 0.3))
        scraps += len(list(shop.root.glob(".new-*")))
        index = shop.open()
        text = index.papers(["p0"])[0].abstract
        last = int(text.split("version ")[1].split()[0])
        assert last in {finished, finished + 1}
        assert_complete(index, version(last))
    assert last > 2, "the writers were killed before they wrote anything"
    assert scraps, "no writer was killed while it was writing"
    shop.ingest(*version(1000), remove=["odd"])
    assert_complete(shop.open(), version(1000))
    assert not list(shop.root.glob(".new-*"))
