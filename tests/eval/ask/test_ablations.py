"""Each ablation takes away what its name says and nothing else; over fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import PAPERS, THROUGHPUT, FakeChatModel, HashEmbeddings, built, fake_embedder

from eval.ask import ablations
from eval.ask.ablations import ABLATIONS, FULL, CachedEmbeddings, FusedRetriever, SystemSource
from rag.errors import SettingsError
from rag.ingest import collection_root
from rag.pipeline import assemble as assistants
from rag.retrieve.retrievers import DenseRetriever, HybridRetriever, LexicalRetriever
from rag.retrieve.scores import paper_cosines
from rag.settings import Settings


@pytest.fixture
def opening(monkeypatch):
    """Five papers in the default collection; the generator of the settings is a fake."""
    settings = Settings.load(reader="citewise-reader")
    built(collection_root(settings, "default"), PAPERS)
    model = FakeChatModel(lambda _: "Monarch Mixer reaches 9.1times higher throughput [1].")
    monkeypatch.setattr(
        assistants, "load_generator", lambda s: (None if s.generator == "none" else model, s.generator)
    )
    monkeypatch.setattr(ablations, "open_embedder", lambda s: fake_embedder(s.embedding_model))
    monkeypatch.setattr(assistants, "load_reader", lambda s: (None, s.reader))
    monkeypatch.setattr(assistants, "load_reranker", lambda s: (None, s.reranker))
    monkeypatch.setattr(assistants, "load_entailment", lambda s: (None, s.verifier))
    return SystemSource(settings, fake_embedder())


def opened(name, opening):
    ablation = ABLATIONS[name]
    return ablation.open(opening.changed(**ablation.settings))


@pytest.mark.parametrize("name", list(ABLATIONS))
def test_every_ablation_answers_and_has_its_own_fingerprint(opening, name):
    found = opened(name, opening)
    answer = found.ask(THROUGHPUT)
    assert answer.status in {"answered", "quoted", "abstained"}
    assert (found.fingerprint == opened(FULL, opening).fingerprint) == (name == FULL)


def test_settings_are_changed_and_kept(opening):
    changed = replace(opening, settings=Settings.load(support_min=0.9)).changed(generator="none")
    assert (changed.settings.support_min, changed.settings.generator) == (0.9, "none")
    assert opened("quotes_only", opening).ask(THROUGHPUT).trace.draft == ""


def retriever(name, opening):
    full = opening.open()
    encoder = full.retriever.encoder
    return ABLATIONS[name].retrieving(full, encoder, opening.settings)


def test_retrievers_are_what_they_are_called(opening):
    assert type(retriever("dense_only", opening)) is DenseRetriever
    assert type(retriever("lexical_only", opening)) is LexicalRetriever
    assert type(retriever("fused_only", opening)) is FusedRetriever
    assert type(retriever("no_sentence_view", opening)) is HybridRetriever


def test_fused_scores_are_sums_of_reciprocal_ranks(opening):
    fused = retriever("fused_only", opening)
    first, score = fused.rank(THROUGHPUT)[0]
    assert first == "monarch"
    assert score == pytest.approx(2 / 61)


def test_without_the_sentence_view_abstracts_alone_count(opening):
    found = retriever("no_sentence_view", opening)
    whole = opening.open()
    assert "sentence" not in found.index.manifest.views
    assert "sentence" in whole.index.manifest.views
    both = paper_cosines(whole.index, found.encoder, THROUGHPUT, ["monarch"])
    assert paper_cosines(found.index, found.encoder, THROUGHPUT, ["monarch"]) != both


def test_vectors_are_made_once():
    model = HashEmbeddings()
    remembering = CachedEmbeddings(model)
    first = remembering.embed_documents(["a", "b", "a"])
    assert remembering.embed_query("b") == first[1]
    assert model.embedded == ["a", "b"]


def test_the_docstring_names_the_comparison():
    assert "hybrid" in (ablations.__doc__ or "")


def test_a_named_collection_cannot_change_its_embedder(opening):
    with pytest.raises(SettingsError, match="mine"):
        replace(opening, collection="mine").changed(embedding_model="other")
