"""A million vectors that lie as real ones do, and how much of the truth a search finds. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

NEAR = 10
NOISE = 0.35  # length of what is added; the nearest real neighbour lies at about 1.0
BLOCK = 50_000


def extended(real: Matrix, count: int, *, seed: int = 0, noise: float = NOISE) -> Matrix:
    """`count` unit rows: the real ones first, then rows between a real one and a neighbour, with noise.

    Each is `a + t (b - a) + g`, brought to length 1: `a` any real row, `b` one of its 10 nearest, `t` uniform
    in 0..1, `g` Gaussian of length `noise` in all directions. So clusters stay where they are, and the ten
    best rows for a question lie as close to each other as in a collection of that size.
    """
    chance, held = np.random.default_rng(seed), min(count, len(real))
    rows = np.empty((count, real.shape[1]), dtype=np.float32)
    rows[:held] = real[:held]
    if count <= len(real):
        return rows
    near = _neighbours(real)
    for start in range(held, count, BLOCK):
        size = min(BLOCK, count - start)
        first = chance.integers(0, len(real), size)
        second = near[first, chance.integers(0, near.shape[1], size)]
        share = chance.random((size, 1), dtype=np.float32)
        spread = chance.standard_normal((size, real.shape[1]), dtype=np.float32)
        spread *= noise / real.shape[1] ** 0.5
        new = real[first] * (1 - share) + real[second] * share + spread
        rows[start : start + size] = new / np.linalg.norm(new, axis=1, keepdims=True)
    return rows


def _neighbours(real: Matrix) -> NDArray[np.int64]:
    """The nearest rows of each row, itself left out; shape (n, at most NEAR)."""
    most = min(NEAR + 1, len(real))
    _, near = faiss.knn(real, real, most, metric=faiss.METRIC_INNER_PRODUCT)
    return near[:, 1:] if most > 1 else near


def truth(rows: Matrix, queries: Matrix, k: int) -> NDArray[np.int64]:
    """The k best rows of each query, by reading all; shape (q, k)."""
    found: NDArray[np.int64] = faiss.knn(queries, rows, k, metric=faiss.METRIC_INNER_PRODUCT)[1]
    return found


def recall(wanted: Sequence[Sequence[int]], found: Sequence[Sequence[int]]) -> float:
    """The mean share of what was wanted that was found."""
    shares = [len(set(a) & set(b)) / len(a) for a, b in zip(wanted, found, strict=True)]
    return sum(shares) / len(shares)
