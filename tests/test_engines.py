"""The real models: what one engine wrote the other can read, and both say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import PAPERS, THROUGHPUT

from rag.ingest import open_embedder
from rag.settings import Settings

pytestmark = pytest.mark.slow

TEXTS = [
    *(f"{paper.title} {paper.abstract}" for paper in PAPERS),
    *(sentence for paper in PAPERS for sentence in paper.abstract.split(". ")),
    THROUGHPUT, "word " * 400, "Ünïcödé ≥ 中文", "x", "",
]  # fmt: skip
_WORDLESS = 2  # the last of them: a handful of special tokens, where int8 rounding weighs most


@pytest.fixture(scope="module")
def reference(model_cache: Path) -> np.ndarray:
    embedder = open_embedder(Settings.load(cache_dir=model_cache, engine="torch"))
    return np.array(embedder.model.embed_documents(TEXTS))


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_vectors_of_either_engine_are_the_same_vectors(
    model_cache: Path, reference: np.ndarray, precision: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rag.models.compiled.precision_for", lambda role: precision)
    fast = open_embedder(Settings.load(cache_dir=model_cache, engine="openvino"))
    vectors = np.array(fast.model.embed_documents(TEXTS))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    cosines = (vectors * reference).sum(axis=1)
    assert cosines[:-_WORDLESS].min() >= 0.999
    assert cosines.min() >= 0.997
    question = vectors[TEXTS.index(THROUGHPUT)]
    assert np.argmax(reference[: len(PAPERS)] @ question) == 0
    assert fast.model.embed_query(TEXTS[0]) == pytest.approx(vectors[0].tolist(), abs=5e-3)


def test_vectors_carry_one_name_whichever_engine_made_them(model_cache: Path):
    checksums = {
        open_embedder(Settings.load(cache_dir=model_cache, engine=engine)).checksum
        for engine in ("torch", "openvino")
    }
    assert len(checksums) == 1


def test_sentence_transformers_gives_the_same_vectors(model_cache: Path, reference: np.ndarray):
    from rag.models.embedder import _sentence_transformers
    from rag.models.merge import merged
    from rag.models.resolve import resolve

    settings = Settings.load(cache_dir=model_cache)
    model = merged(resolve(settings.embedding_model, settings), model_cache)
    theirs = np.array(_sentence_transformers(model, None).embed_documents(TEXTS))
    assert theirs == pytest.approx(reference, abs=1e-5)
