"""Writes the difference a run made to the embedder: the tensors that changed, float16.

python -m training.ship --run RUN --out rag/data/weights/citewise-embedder
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rag.models.resolve import resolve
from rag.settings import Settings


def main() -> None:
    """Compare with the base and save what differs."""
    import torch
    from safetensors.torch import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    base = load_file(resolve("all-MiniLM-L6-v2", Settings.load()).path / "model.safetensors")
    tuned = load_file(arguments.run / "model" / "model.safetensors")
    changed = {
        name: tensor.to(torch.float16).contiguous()
        for name, tensor in tuned.items()
        if tensor.is_floating_point() and not torch.equal(tensor, base[name])
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(changed, arguments.out / "delta.safetensors")
    size = (arguments.out / "delta.safetensors").stat().st_size / 1e6
    print(f"{len(changed)} of {len(base)} tensors, {size:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
