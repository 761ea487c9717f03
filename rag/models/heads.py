"""The linear outputs of a trained cross-encoder, in a file of their own beside its base's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADS_FILE = "heads.safetensors"


def read_heads(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(weight of shape (outputs, width), bias of shape (outputs,)) of a trained model's folder."""
    from safetensors.numpy import load_file

    tensors = load_file(folder / HEADS_FILE)
    return tensors["heads.weight"].astype(np.float32), tensors["heads.bias"].astype(np.float32)
