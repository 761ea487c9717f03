"""GGUF files made into safetensors folders: once, whole, from parts where they come in parts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from rag.errors import ModelCorrupt, ModelMissing
from rag.models import gguf
from rag.models.gguf import converted_folder, is_converted
from rag.models.weights import ResolvedModel
from rag.storage.built import is_complete

CONTENT = b"weights"
SHA256 = "5" * 64


@pytest.fixture
def converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ResolvedModel, list[Path]]:
    """A model whose conversion writes one file, and the folders it was asked to write."""
    calls: list[Path] = []

    def fake_convert(gguf: Path, delta: Path | None, folder: Path) -> None:
        calls.append(folder)
        (folder / "model.safetensors").write_bytes(CONTENT)

    monkeypatch.setattr(gguf, "_convert", fake_convert)
    (tmp_path / "model.gguf").write_bytes(b"gguf")
    return ResolvedModel("m", tmp_path / "model.gguf", SHA256), calls


def test_a_model_is_converted_once(converted, tmp_path):
    model, calls = converted
    folder = converted_folder(model, tmp_path / "cache")
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert is_complete(folder)
    assert converted_folder(model, tmp_path / "cache") == folder
    assert len(calls) == 1
    assert calls[0] != folder  # built beside, then renamed
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_it_is_known_beforehand_whether_there_is_anything_to_convert(converted, tmp_path):
    model, _ = converted
    assert not is_converted(model, tmp_path / "cache")
    converted_folder(model, tmp_path / "cache")
    assert is_converted(model, tmp_path / "cache")
    assert is_converted(ResolvedModel("folder", tmp_path, SHA256), tmp_path / "elsewhere")


def test_other_weights_have_their_own_folder(converted, tmp_path):
    model, _ = converted
    other = ResolvedModel("m", model.path, "0" * 64)
    assert converted_folder(model, tmp_path) != converted_folder(other, tmp_path)


@pytest.mark.parametrize("damage", ["weights", "no weights", "no manifest", "bad manifest", "other format"])
def test_a_damaged_folder_is_converted_again(converted, tmp_path, damage):
    model, calls = converted
    folder = converted_folder(model, tmp_path)
    [manifest] = folder.glob("*.json")
    if damage == "weights":
        (folder / "model.safetensors").write_bytes(b"flipped")
    elif damage == "no weights":
        (folder / "model.safetensors").unlink()
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "bad manifest":
        manifest.write_text("{")
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 0}))
    assert not is_complete(folder)
    assert is_complete(converted_folder(model, tmp_path))
    assert len(calls) == 2


def test_a_conversion_that_breaks_leaves_nothing(tmp_path, monkeypatch):
    def broken(gguf: Path, delta: Path | None, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise ModelCorrupt("broken", hint="mend")

    monkeypatch.setattr(gguf, "_convert", broken)
    (tmp_path / "m.gguf").write_bytes(b"gguf")
    with pytest.raises(ModelCorrupt):
        converted_folder(ResolvedModel("m", tmp_path / "m.gguf", SHA256), tmp_path / "cache")
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_file_that_is_no_gguf_is_our_error(tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"not a model")
    with pytest.raises(ModelCorrupt, match=r"m\.gguf") as raised:
        converted_folder(ResolvedModel("m", tmp_path / "m.gguf", SHA256), tmp_path / "cache")
    assert raised.value.hint


@pytest.fixture
def cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[ResolvedModel, list[tuple[bytes, Path | None]]]:
    """A model in three parts with a delta; and what was given to be converted."""
    seen: list[tuple[bytes, Path | None]] = []

    def fake_convert(gguf: Path, delta: Path | None, folder: Path) -> None:
        seen.append((gguf.read_bytes(), delta))
        (folder / "model.safetensors").write_bytes(CONTENT)

    monkeypatch.setattr(gguf, "_convert", fake_convert)
    parts = tuple(tmp_path / f"part{number}.bin" for number in (1, 2, 3))
    for part, content in zip(parts, (b"GGUF", b"ab" * 5, b"end"), strict=True):
        part.write_bytes(content)
    return ResolvedModel("m", parts[0], SHA256, tmp_path / "delta.safetensors", parts), seen


def test_parts_are_joined_in_their_order_and_the_whole_is_not_kept(cut, tmp_path, monkeypatch):
    model, seen = cut
    monkeypatch.setattr(gguf, "_COPIED_BYTES", 4)
    folder = converted_folder(model, tmp_path / "cache")
    assert seen == [(b"GGUFabababababend", tmp_path / "delta.safetensors")]
    assert not list(folder.glob("*.gguf"))
    assert is_complete(folder)


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=count))


def test_a_disk_without_room_is_told_before_anything_is_written(cut, tmp_path, monkeypatch):
    model, seen = cut
    free(monkeypatch, 6 * 17 - 1)  # six times the 4 + 10 + 3 bytes of the parts
    with pytest.raises(ModelMissing, match=r"m takes 0\.0 GB there") as raised:
        converted_folder(model, tmp_path / "cache")
    assert "CITEWISE_CACHE_DIR" in raised.value.hint
    assert seen == []
    assert list((tmp_path / "cache").iterdir()) == []
    free(monkeypatch, 6 * 17)
    folder = converted_folder(model, tmp_path / "cache")
    free(monkeypatch, 0)  # what is there needs no room
    assert converted_folder(model, tmp_path / "cache") == folder
    assert len(seen) == 1


def test_a_whole_file_wants_six_times_its_size(converted, tmp_path, monkeypatch):
    model, calls = converted
    free(monkeypatch, 6 * 4 - 1)
    with pytest.raises(ModelMissing):
        converted_folder(model, tmp_path / "cache")
    assert calls == []
