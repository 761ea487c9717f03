"""The default collection after an update: another embedder, the same papers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import PAPERS, HashEmbeddings

from rag.assistant import Assistant
from rag.errors import IndexMismatch
from rag.index.build import ingest_papers
from rag.ingest import collection_root
from rag.pipeline.assemble import Parts, named_embedder
from rag.settings import Settings


def settings_in(folder: Path) -> Settings:
    return Settings.load(cache_dir=folder, reranker="none", verifier="none", generator="none")


def opened(settings: Settings, name: str, collection: str) -> Assistant:
    parts = Parts(embedder=named_embedder(HashEmbeddings(), name))
    return Assistant.open(collection=collection, settings=settings, parts=parts)


def test_the_default_collection_is_embedded_anew_with_the_papers_it_holds(tmp_path: Path):
    settings = settings_in(tmp_path)
    old = named_embedder(HashEmbeddings(), "old")
    ingest_papers(collection_root(settings, "default"), PAPERS, old, settings)
    index = opened(settings, "new", "default").index
    assert index.manifest.embedding_model == "new"
    assert {paper.paper_id for paper in index.all_papers()} == {paper.paper_id for paper in PAPERS}


def test_any_other_is_refused_by_name(tmp_path: Path):
    settings = settings_in(tmp_path)
    old = named_embedder(HashEmbeddings(), "old")
    ingest_papers(collection_root(settings, "mine"), PAPERS, old, settings)
    with pytest.raises(IndexMismatch, match="made with old"):
        opened(settings, "new", "mine")
