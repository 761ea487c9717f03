from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rag.errors import SettingsError
from rag.settings import Settings


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `citewise.toml` of the checkout is read."""
    monkeypatch.chdir(tmp_path)


def test_an_unknown_key_is_refused_and_named():
    with pytest.raises(SettingsError, match="passages_topk") as raised:
        Settings.load(passages_topk=3)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("passages_top_k", 0), ("support_min", 1.5), ("read_top_k", "many"), ("bm25_b", -0.1)],
)
def test_a_value_out_of_bounds_is_refused_and_named(name, value):
    with pytest.raises(SettingsError, match=name):
        Settings.load(**{name: value})


@pytest.mark.parametrize(
    "name", ["question_model", "likelihood_top_k", "evidence_sentences_max", "draft_gap_max"]
)
def test_what_was_a_setting_once_is_refused_like_any_other_unknown_key(name):
    with pytest.raises(SettingsError, match=name):
        Settings.load(**{name: 1})


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Settings.load().passages_top_k = 3  # type: ignore[misc]


def test_arguments_beat_the_environment_which_beats_the_file(tmp_path, monkeypatch):
    (tmp_path / "citewise.toml").write_text("passages_top_k = 11\ndense_top_k = 12\nrrf_k0 = 13\n")
    monkeypatch.setenv("CITEWISE_PASSAGES_TOP_K", "21")
    monkeypatch.setenv("CITEWISE_DENSE_TOP_K", "22")
    found = Settings.load(passages_top_k=31)
    assert (found.passages_top_k, found.dense_top_k, found.rrf_k0) == (31, 22, 13)


def test_an_unknown_key_in_the_file_is_refused(tmp_path):
    (tmp_path / "citewise.toml").write_text("pasages = 1\n")
    with pytest.raises(SettingsError, match="pasages"):
        Settings.load()


def test_a_file_that_is_not_toml_is_our_error(tmp_path):
    (tmp_path / "citewise.toml").write_text("passages_top_k = = 1\n")
    with pytest.raises(SettingsError, match=r"citewise\.toml"):
        Settings.load()


def test_the_fingerprint_changes_with_what_changes_answers_only():
    base = Settings.load().fingerprint()
    assert base == Settings.load().fingerprint()
    assert len(base) == 16
    assert Settings.load(passages_top_k=7).fingerprint() != base
    assert Settings.load(generator="none").fingerprint() != base
    assert Settings.load(cache_dir="/elsewhere", threads=3, generation_batch_size=2).fingerprint() == base
