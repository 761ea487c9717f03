"""An index of the format before: named, made anew without embedding, and nothing of it lost."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import MONARCH, PAPERS, RETRO, THROUGHPUT, HashEmbeddings, built, fake_embedder
from langchain_core.embeddings import Embeddings

from rag.assistant import Assistant
from rag.cli.doctor import diagnose
from rag.errors import IndexCorrupt, IndexOutdated
from rag.index.build import ingest_papers
from rag.index.manifest import FORMAT, write_manifest
from rag.index.paper_index import open_index
from rag.index.paper_text import from_json, read_paper, to_json
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root
from rag.pipeline.assemble import Parts
from rag.retrieve.scores import sentence_cosines
from rag.settings import Settings
from rag.storage.generations import new_generation
from rag.types import Paper, PaperText, SentenceText


def as_format_1(root: Path, *, without: str = "") -> None:
    """The index as the version before wrote it: papers without their texts; and without one vector."""
    index = open_index(root)
    folder = root / (root / "CURRENT").read_text(encoding="utf-8").split()[0]
    store = index.store
    store.remove([without] if without else [])
    with new_generation(root) as made:
        shutil.copytree(folder, made, dirs_exist_ok=True)
        (made / "manifest.json").unlink()
        connection = sqlite3.connect(made / "papers.sqlite")
        with connection:
            connection.execute("ALTER TABLE papers DROP COLUMN text")
        connection.close()
        store.save(made)
        write_manifest(made, replace(index.manifest, format=1, vectors=len(store), files={}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    built(tmp_path / "index")
    return tmp_path / "index"


def test_it_is_refused_with_the_way_out(root: Path) -> None:
    as_format_1(root)
    with pytest.raises(IndexOutdated, match=f"format 1, this version reads {FORMAT}") as caught:
        open_index(root)
    assert "papers and vectors are kept" in caught.value.hint
    assert len(open_index(root, outdated=True)) == len(PAPERS)


def test_it_is_made_anew_without_embedding_anything(root: Path) -> None:
    before = open_index(root)
    ids, fingerprint = sorted(before.store.ids()), before.fingerprint
    as_format_1(root)
    embedder = fake_embedder()
    ingest_papers(root, [], embedder, Settings.load())
    assert isinstance(embedder.model, HashEmbeddings)
    assert embedder.model.embedded == []
    after = open_index(root)
    assert (after.manifest.format, after.fingerprint) == (FORMAT, fingerprint)
    assert list(after.all_papers()) == sorted(PAPERS, key=lambda paper: paper.paper_id)
    assert sorted(after.store.ids()) == ids
    assert after.texts([MONARCH]) == [read_paper(MONARCH)]


def test_a_paper_whose_sentences_ended_elsewhere_is_embedded_again(root: Path) -> None:
    ids = sorted(open_index(root).store.ids())
    as_format_1(root, without="monarch#s0")
    embedder = fake_embedder()
    ingest_papers(root, [], embedder, Settings.load())
    assert isinstance(embedder.model, HashEmbeddings)
    assert embedder.model.embedded
    assert all(text.startswith(MONARCH.title) for text in embedder.model.embedded)
    assert sorted(open_index(root).store.ids()) == ids


def test_whoever_asks_gets_it_made_anew_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.load(generator="none", reranker="none", verifier="none")
    root = collection_root(settings, "mine")
    built(root)
    as_format_1(root)
    checks = {check.name: check for check in diagnose(settings)}
    assert checks["index mine"].ok
    assert "made anew" in checks["index mine"].detail
    with caplog.at_level(logging.WARNING, "rag.assistant"):
        assistant = Assistant.open(
            collection="mine", settings=settings, parts=Parts(embedder=fake_embedder())
        )
    assert "format 1, this version reads" in caplog.text
    assert assistant.ask(THROUGHPUT).passages[0].paper == MONARCH
    assert open_index(root).manifest.format == FORMAT


def test_the_text_of_a_paper_survives_its_way_to_disk() -> None:
    paper = Paper("p", "A 9.1times [3] title", "One is 9.1times faster [2]. Two\ud83d is not.")
    text = read_paper(paper)
    assert text == PaperText(
        "A 9.1x ［3］ title",
        (SentenceText(0, 27, "One is 9.1x faster ［2］."), SentenceText(28, 40, "Two\ud83d is not.")),
    )
    assert from_json(to_json(text)) == text
    with pytest.raises(ValueError, match="unpack"):
        from_json(json.dumps(["title"]))


def test_what_is_stored_is_not_split_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_index(root)
    monkeypatch.setattr("rag.index.paper_text.sentence_spans", lambda text: pytest.fail("split again"))
    assert [text.title for text in index.texts([MONARCH, RETRO])] == [MONARCH.title, RETRO.title]


def test_a_missing_sentence_vector_is_an_error_with_a_hint(root: Path) -> None:
    index = open_index(root)
    index.store.remove(["monarch#s0"])
    encoder = QueryEncoder(HashEmbeddings())
    with pytest.raises(IndexCorrupt, match="sentences of monarch have no vectors") as caught:
        sentence_cosines(index, encoder, THROUGHPUT, [MONARCH], index.texts([MONARCH]))
    assert "citewise ingest" in caught.value.hint


def test_papers_from_elsewhere_are_embedded_now(root: Path) -> None:
    index = open_index(root)
    model = HashEmbeddings()
    other = Paper("elsewhere", "Other", "Alpha is fast. Beta is slow.")
    newer = replace(MONARCH, abstract="Monarch Mixer is fast.")
    papers = [other, RETRO, newer]
    rows = sentence_cosines(index, QueryEncoder(model), "Alpha is fast", papers, index.texts(papers))
    assert [len(row) for row in rows] == [2, len(read_paper(RETRO).sentences), 1]
    assert rows[0][0] == pytest.approx(_cosine(model, "Alpha is fast", "Other. Alpha is fast."))
    assert not any(RETRO.title in text for text in model.embedded)


def _cosine(model: Embeddings, one: str, other: str) -> float:
    first, second = model.embed_documents([one, other])
    return sum(a * b for a, b in zip(first, second, strict=True))
