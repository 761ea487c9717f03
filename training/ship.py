"""Writes what a run changed, small: see `rag/models/delta.py` for the kinds of change.

    python -m training.ship --run RUN --out rag/data/weights/citewise-reranker

An embedder ships its new values (float16), a cross-encoder int8 steps from the base and its heads, a reader
its low-rank adapter (int8).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.models.weights import resolve
from rag.settings import Settings

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]


def new_values(base: Tensors, tuned: Tensors) -> Tensors:
    """The tensors that changed, float16."""
    import torch

    return {
        name: tensor.to(torch.float16).contiguous()
        for name, tensor in tuned.items()
        if tensor.is_floating_point() and not torch.equal(tensor, base[name])
    }


def steps(base: Tensors, tuned: Tensors) -> Iterator[tuple[str, torch.Tensor]]:
    """Matrices as int8 steps from the base, a scale a row; vectors and heads as float16."""
    import torch

    for name, tensor in tuned.items():
        if name == "gains":
            yield "heads.gains", tensor.float()
        elif name.startswith("heads.") or (name in base and tensor.dim() < 2):
            yield name, tensor.to(torch.float16)
        elif name in base and not torch.equal(tensor, base[name]):
            change = tensor.float() - base[name].float()
            scale = (change.abs().amax(1) / 127).clamp(min=1e-12)
            yield f"{name}|scale", scale.float()
            yield f"{name}|step", (change / scale[:, None]).round().to(torch.int8)


def adapter(tensors: Tensors, scaling: float) -> Iterator[tuple[str, torch.Tensor]]:
    """LoRA's two factors of each matrix as int8, a scale a row; the scaling goes into the second."""
    import torch

    for name, tensor in tensors.items():
        kind = _kind(name)
        factor = (tensor * scaling if kind.endswith("up") else tensor).float()
        scale = (factor.abs().amax(1) / 127).clamp(min=1e-12)
        yield kind, (factor / scale[:, None]).round().to(torch.int8)
        yield f"{kind}_scale", scale


def unpacked(kept: Tensors, name: str, scaling: float) -> torch.Tensor:
    """A factor out of what `adapter` made, under the name that peft gives it, float32."""
    kind = _kind(name)
    factor = kept[kind].float() * kept[f"{kind}_scale"][:, None]
    return factor / scaling if kind.endswith("up") else factor


def _kind(name: str) -> str:
    """The matrix a factor belongs to, and which of its two it is."""
    plain = re.sub(r"^base_model\.model\.(.*)\.lora_[AB]\.(?:default\.)?weight$", r"\1.weight", name)
    return f"{plain}|{'up' if '.lora_B.' in name else 'down'}"


def _packed_adapter(file: Path) -> tuple[Tensors, float]:
    """What `training.packed_reader` keeps, and the adapter's scaling."""
    from safetensors import safe_open

    with safe_open(file, "pt") as kept:
        about = kept.metadata()
        factors = {name.replace(".default.", "."): kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
    return factors, float(about["alpha"]) / float(about["rank"])


def main() -> None:
    """Compare with the base and save what differs."""
    from safetensors.torch import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    run: Path = arguments.run
    if (run / "adapter").is_dir():
        config = json.loads((run / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
        factors = load_file(run / "adapter" / "adapter_model.safetensors")
        changed = dict(adapter(factors, config["lora_alpha"] / config["r"]))
    elif (run / "adapter.safetensors").is_file():
        changed = dict(adapter(*_packed_adapter(run / "adapter.safetensors")))
    else:
        base = load_file(resolve("all-MiniLM-L6-v2", Settings.load()).path / "model.safetensors")
        if (run / "model").is_dir():
            changed = new_values(base, load_file(run / "model" / "model.safetensors"))
        else:
            tuned = load_file(run / "model.safetensors")
            changed = dict(steps(base, {k.removeprefix("bert."): v for k, v in tuned.items()}))
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in changed.items()}, arguments.out / "delta.safetensors")
    size = (arguments.out / "delta.safetensors").stat().st_size / 1e6
    print(f"{len(changed)} tensors, {size:.1f} MB")


if __name__ == "__main__":
    main()
