"""Local chat models: one in a process for all settings that run it alike, whatever it is asked for."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from langchain_core.messages import HumanMessage

from rag.errors import ModelMissing
from rag.models import load, weights
from rag.models.catalogue import READER, SMALL_READER
from rag.models.engines.decoder import Reading
from rag.models.weights import ResolvedModel
from rag.settings import Settings


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The names of the models that were opened, in order; none has weights."""
    names: list[str] = []

    def folder(found: ResolvedModel, settings: Settings) -> Path:
        names.append(found.name)
        return tmp_path

    monkeypatch.setattr(load, "resolve", lambda name, _: ResolvedModel(name, tmp_path, "c" * 64))
    monkeypatch.setattr(load, "_folder", folder)
    monkeypatch.setattr(load, "engine_for", lambda *_: "torch")
    monkeypatch.setattr(load.LocalChatModel, "load", lambda self: None)
    load._opened.cache_clear()
    return names


def test_generator_and_reader_are_one_whatever_else_is_set(opened: list[str]) -> None:
    first, identity = load.load_generator(Settings.load(generator="reader"))
    other, _ = load.load_generator(Settings.load(generator="reader", strict=True, passages_top_k=3))
    asked, checksum = load.load_reader(Settings.load(generator="none", reader="reader"))
    assert asked is not None
    assert checksum == "c" * 64
    assert first is other is asked.load() is asked.load()
    assert opened == ["reader"]
    assert identity == f"{'c' * 64} torch"


def test_what_is_run_otherwise_is_another_model(opened: list[str]) -> None:
    first, _ = load.load_generator(Settings.load(generator="reader"))
    for changed in ({"threads": 1}, {"draft_tokens_max": 9}, {"engine": "torch"}, {"generator": "else"}):
        other, _ = load.load_generator(Settings.load(**{"generator": "reader", **changed}))
        assert other is not first
    assert opened == ["reader", "reader", "reader", "reader", "else"]


def test_the_reader_is_opened_when_it_is_first_asked(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, _ = load.load_reader(Settings.load(reader="reader"))
    assert reader is not None
    assert opened == []
    told = [Reading(-1.0, (-2.0,))]
    decoder = SimpleNamespace(read=lambda *_: told, prompt=lambda turns: turns[-1]["content"])
    monkeypatch.setattr(load.LocalChatModel, "load", lambda self: decoder)
    assert reader.readings([[HumanMessage("one")]], ["Yes"]) == told
    assert opened == ["reader"]


def test_the_reader_writes_what_the_generator_would(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, _ = load.load_reader(Settings.load(reader="reader"))
    assert reader is not None
    decoder = SimpleNamespace(
        write=lambda prompts, *_, **__: [prompt.rest.upper() for prompt in prompts],
        prompt=lambda turns: turns[-1]["content"],
    )
    monkeypatch.setattr(load.LocalChatModel, "load", lambda self: decoder)
    assert reader.write([[HumanMessage("one")], [HumanMessage("two")]]) == ["ONE", "TWO"]
    assert reader.write([[HumanMessage("one")]]) == ["ONE"]


def test_without_a_reader_nothing_is_read(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert load.load_reader(Settings.load(reader="none")) == (None, "none")

    def missing(name: str, settings: Settings) -> ResolvedModel:
        raise ModelMissing(f"no {name}", hint="Install it.")

    monkeypatch.setattr(load, "resolve", missing)
    assert load.load_reader(Settings.load(reader="somebody/else")) == (None, "none")
    assert opened == []


@pytest.mark.parametrize("missing", [True, False])
def test_where_the_readers_base_is_missing_the_small_one_writes_and_none_judges_and_both_are_told(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, missing: bool
) -> None:
    def resolve(name: str, settings: Settings) -> ResolvedModel:
        if missing and name == READER:
            raise ModelMissing("no base", hint="Install it.")
        return ResolvedModel(name, settings.cache_dir, name)

    monkeypatch.setattr(load, "resolve", resolve)
    monkeypatch.setattr(weights, "resolve", resolve)
    chosen = SMALL_READER if missing else READER
    settings = Settings.load(generator=READER, reader=READER)
    with caplog.at_level(logging.WARNING):
        reader, checksum = load.load_reader(settings)
        _, identity = load.load_generator(settings)
    assert identity == f"{chosen} torch"
    assert opened == [chosen]
    assert (reader is None, checksum) == (missing, "none" if missing else READER)
    assert (f"{SMALL_READER} answers instead" in caplog.text) == missing
    assert ("without a reader: no base" in caplog.text) == missing
    if reader is not None:
        reader.load()
    assert opened == [chosen]  # generator and reader are one


@pytest.mark.parametrize("tuned", [True, False])
def test_only_a_model_trained_for_this_begins_with_no_refusal(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tuned: bool
) -> None:
    delta = tmp_path / "delta.safetensors" if tuned else None
    monkeypatch.setattr(load, "resolve", lambda name, _: ResolvedModel(name, tmp_path, "c" * 64, delta))
    model, _ = load.load_generator(Settings.load(generator="reader"))
    assert isinstance(model, load.LocalChatModel)
    assert model.never_first == ("Not in this abstract." if tuned else "")


def test_a_file_is_converted_and_a_folder_merged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"")
    merged = ResolvedModel("merged", tmp_path / "merged", "")
    monkeypatch.setattr(load, "converted_folder", lambda model, cache: tmp_path / "converted")
    monkeypatch.setattr(load, "merged", lambda model, cache: merged)
    settings = Settings.load()
    assert load._folder(ResolvedModel("m", tmp_path / "m.gguf", ""), settings) == tmp_path / "converted"
    assert load._folder(ResolvedModel("m", tmp_path, ""), settings) == tmp_path / "merged"
