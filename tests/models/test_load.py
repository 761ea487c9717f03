"""Local chat models: one in a process for all settings that run it alike, whatever it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.models import load
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


def test_generator_and_question_model_are_one_whatever_else_is_set(opened: list[str]) -> None:
    first, identity = load.load_generator(Settings.load(generator="reader"))
    other, _ = load.load_generator(Settings.load(generator="reader", strict=True, passages_top_k=3))
    asked, _ = load.load_question_model(Settings.load(generator="none", question_model="reader"))
    assert asked is not None
    assert first is other is asked.load() is asked.load()
    assert opened == ["reader"]
    assert identity == f"{'c' * 64} torch"


def test_what_is_run_otherwise_is_another_model(opened: list[str]) -> None:
    first, _ = load.load_generator(Settings.load(generator="reader"))
    for changed in ({"threads": 1}, {"draft_tokens_max": 9}, {"engine": "torch"}, {"generator": "else"}):
        other, _ = load.load_generator(Settings.load(**{"generator": "reader", **changed}))
        assert other is not first
    assert opened == ["reader", "reader", "reader", "reader", "else"]
