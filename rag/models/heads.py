"""The linear outputs of a trained cross-encoder, in a file of their own beside its base's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADS_FILE = "heads.safetensors"


@dataclass(frozen=True, slots=True)
class Heads:
    """`weight` (outputs, width), `bias` (outputs,); `gains` (outputs,): what a cosine is worth to each."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    gains: NDArray[np.float32]


def read_heads(folder: Path) -> Heads:
    """The outputs of a trained model's folder; those without gains have none."""
    from safetensors.numpy import load_file

    tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(folder / HEADS_FILE).items()}
    bias = tensors["heads.bias"]
    return Heads(tensors["heads.weight"], bias, tensors.get("heads.gains", np.zeros_like(bias)))


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Between two vectors; 0 when one of them is zero."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0
