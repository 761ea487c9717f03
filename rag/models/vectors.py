"""Rows of vectors brought to length 1, whatever embedder made them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(vectors: list[list[float]] | NDArray[np.float32]) -> NDArray[np.float32]:
    """float32, rows of length 1: what a drop-in embedder may not have done. Zero rows stay zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    lengths[lengths == 0] = 1.0
    return np.asarray(rows / lengths, dtype=np.float32)
