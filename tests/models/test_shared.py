"""The cross-encoders are opened once for all who run them alike, and not before they are asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tokenizers")
from fakes import fake_embedder
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from rag.assistant import Assistant
from rag.errors import ModelCorrupt
from rag.models import shared
from rag.models.shared import load_entailment, load_reranker, preload_cross
from rag.models.weights import ResolvedModel
from rag.pipeline.assemble import Parts
from rag.settings import Settings
from rag.storage.checksums import sha256_of
from rag.types import Relevance


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cross-encoder of ones."""
    words = {word: i for i, word in enumerate(["[UNK]", "[CLS]", "[SEP]", "fast"])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    (tmp_path / "model").mkdir()
    tokenizer.save(str(tmp_path / "model" / "tokenizer.json"))
    ones = {"heads.weight": np.ones((3, 2), np.float32), "heads.bias": np.zeros(3, np.float32)}
    save_file(ones, tmp_path / "model" / "heads.safetensors")
    return tmp_path / "model"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose weights were read."""
    found: list[Path] = []

    def load(model: ResolvedModel, settings: Settings) -> object:
        found.append(model.path)
        return lambda ids, mask, types: np.ones((*ids.shape, 2), np.float32)

    monkeypatch.setattr(shared, "load_hidden", load)
    return found


def known(folder: Path, **more: object) -> Settings:
    return Settings.load(reranker=str(folder), verifier=str(folder), **more)


def test_the_checksum_is_known_before_anything_is_read(folder: Path, loaded: list[Path]) -> None:
    reader, checksum = load_reranker(known(folder))
    judge, same = load_entailment(known(folder))
    assert reader is not None
    assert judge is not None
    assert checksum == same != sha256_of(folder / "heads.safetensors")  # of all weights, by their names
    assert len(checksum) == 64
    assert loaded == []
    assert reader.read("fast", [("fast", [])]) == [Relevance(2.0, 2.0, ())]
    assert loaded == [folder]
    assert judge.logits([("fast", "fast")]) == [2.0]
    assert loaded == [folder, folder]


def test_all_who_run_it_alike_share_one(folder: Path, loaded: list[Path]) -> None:
    one, _ = load_reranker(known(folder))
    assert load_reranker(known(folder, strict=True, passages_top_k=3, generator="none"))[0] is one
    for other in ({"threads": 1}, {"engine": "torch"}, {"cache_dir": folder.parent / "other"}):
        assert load_reranker(known(folder, **other))[0] is not one
    assert one is not None
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: one.load(), range(8)))) == 1
    assert loaded == [folder]


def test_other_weights_at_the_same_place_are_another_model(folder: Path, loaded: list[Path]) -> None:
    one, checksum = load_reranker(known(folder))
    save_file({"heads.weight": np.zeros((3, 2)), "heads.bias": np.zeros(3)}, folder / "heads.safetensors")
    other, changed = load_reranker(known(folder))
    assert (one is other, checksum == changed) == (False, False)


def test_a_folder_without_outputs_is_no_cross_encoder(folder: Path) -> None:
    (folder / "heads.safetensors").unlink()
    assert load_reranker(known(folder)) == load_entailment(known(folder)) == (None, "none")


def test_a_folder_without_a_tokenizer_is_told_when_it_is_asked(folder: Path, loaded: list[Path]) -> None:
    (folder / "tokenizer.json").unlink()
    reader, _ = load_reranker(known(folder))
    assert reader is not None
    with pytest.raises(ModelCorrupt, match="tokenizer") as caught:
        reader.read("fast", [])
    assert "citewise doctor" in caught.value.hint


@pytest.mark.parametrize("judging", [True, False])
def test_the_judge_is_loaded_ahead_only_where_it_will_be_asked(
    folder: Path, loaded: list[Path], judging: bool
) -> None:
    preload_cross(known(folder), judging=judging)
    for thread in threading.enumerate():
        if thread.name == "citewise-preload":
            thread.join(30)
    assert loaded == [folder] * (2 if judging else 1)


@pytest.mark.parametrize(
    ("settings", "parts", "judging"),
    [
        ({"generator": "none"}, {}, False),
        ({"generator": "openai:x"}, {}, True),
        ({"generator": "openai:x", "strict": True}, {}, False),
        ({"generator": "none"}, {"generator": object()}, True),
        ({"generator": "none"}, {"generator": object(), "verifier": object()}, False),
    ],
)
def test_what_is_preloaded_is_what_will_be_asked(
    monkeypatch: pytest.MonkeyPatch, settings: dict, parts: dict, judging: bool
) -> None:
    told: list[bool] = []
    monkeypatch.setattr("rag.pipeline.assemble.preload_generator", lambda settings: None)
    monkeypatch.setattr("rag.pipeline.assemble.preload_cross", lambda settings, judging: told.append(judging))
    monkeypatch.setattr("rag.assistant._open_collection", lambda *_: None)
    monkeypatch.setattr(Assistant, "over", lambda *_: None)
    chosen = Parts(embedder=fake_embedder(), **parts)
    Assistant.open(settings=Settings.load(**settings), parts=chosen, preload=True)
    assert told == [judging]
