"""The linear outputs of a trained cross-encoder, in a file of their own beside its base's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADS_FILE = "heads.safetensors"


@dataclass(frozen=True, slots=True)
class Heads:
    """`weight` (outputs, width), `bias` (outputs,); `gains`: what a cosine is worth.

    The reranker has a gain an output, the verifier two for its one output.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    gains: NDArray[np.float32]


def read_heads(folder: Path) -> Heads:
    """The outputs of a trained model's folder; those without gains have none."""
    from safetensors.numpy import load_file

    tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(folder / HEADS_FILE).items()}
    bias = tensors["heads.bias"]
    nothing = np.zeros(max(len(bias), 2), dtype=np.float32)
    return Heads(tensors["heads.weight"], bias, tensors.get("heads.gains", nothing))


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Between two vectors of shape (width,), -1..1; 0 when one of them is zero."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0
