"""Vectors that outlive the process that computed them, and only those that are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import PAPERS, HashEmbeddings, fake_embedder

from rag.errors import OutputError
from rag.index import carry_over
from rag.index.build import ingest_papers
from rag.index.paper_index import open_index
from rag.index.vector_journal import VectorJournal, discard
from rag.settings import Settings

ROWS = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], dtype=np.float32)


def test_what_was_kept_is_there_for_the_next(tmp_path: Path):
    VectorJournal(tmp_path, "m" * 64).keep(["a", "b"], ROWS)
    again = VectorJournal(tmp_path, "m" * 64)
    again.keep(["c"], ROWS[:1])
    last = VectorJournal(tmp_path, "m" * 64)
    assert len(last) == 3
    assert last.row("b") == pytest.approx(ROWS[1])
    assert last.row("c") == pytest.approx(ROWS[0])
    assert last.row("d") is None


def test_another_model_has_a_journal_of_its_own(tmp_path: Path):
    VectorJournal(tmp_path, "m" * 64).keep(["a"], ROWS[:1])
    assert len(VectorJournal(tmp_path, "n" * 64)) == 0


@pytest.mark.parametrize("cut", [1, 20, 31])
def test_half_a_record_is_no_record(tmp_path: Path, cut: int):
    VectorJournal(tmp_path, "m" * 64).keep(["a", "b"], ROWS)
    (path,) = tmp_path.glob(".vectors-*.bin")
    path.write_bytes(path.read_bytes()[:-cut])
    again = VectorJournal(tmp_path, "m" * 64)
    assert (len(again), again.row("b")) == (1, None)
    again.keep(["b"], ROWS[1:])
    assert VectorJournal(tmp_path, "m" * 64).row("b") == pytest.approx(ROWS[1])


def test_a_damaged_row_is_computed_again(tmp_path: Path):
    VectorJournal(tmp_path, "m" * 64).keep(["a", "b"], ROWS)
    (path,) = tmp_path.glob(".vectors-*.bin")
    damaged = bytearray(path.read_bytes())
    damaged[-2] ^= 0x40
    path.write_bytes(damaged)
    again = VectorJournal(tmp_path, "m" * 64)
    assert again.row("a") is not None
    assert again.row("b") is None


def test_discarded_journals_are_gone(tmp_path: Path):
    VectorJournal(tmp_path, "m" * 64).keep(["a"], ROWS[:1])
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


class Failing(HashEmbeddings):
    """Breaks off after so many texts."""

    def __init__(self, texts: int) -> None:
        super().__init__()
        self.left = texts

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.left -= len(texts)
        if self.left < 0:
            raise OSError("killed")
        return super().embed_documents(texts)


def test_an_ingestion_that_broke_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(carry_over, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(carry_over, "_JOURNAL_FROM", 2)
    embedder, settings, failing = fake_embedder(), Settings.load(), Failing(12)
    broken = type(embedder)(failing, embedder.name, embedder.checksum)
    with pytest.raises(OutputError):
        ingest_papers(tmp_path, PAPERS, broken, settings)
    ingest_papers(tmp_path, PAPERS, embedder, settings)
    index = open_index(tmp_path)
    assert isinstance(embedder.model, HashEmbeddings)
    assert failing.embedded
    assert len(embedder.model.embedded) == len(index.store) - len(failing.embedded)
    assert not list(tmp_path.glob(".vectors-*"))


def test_small_ingestions_keep_no_journal(tmp_path: Path):
    embedder = fake_embedder()
    with pytest.raises(OutputError):
        ingest_papers(tmp_path, PAPERS, type(embedder)(Failing(3), "x", "x" * 64), Settings.load())
    assert not list(tmp_path.glob(".vectors-*"))
