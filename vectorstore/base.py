"""What a vector store promises. Knows ids and vectors only: no text, no model, nothing of rag/.

Besides the contract this holds the rules every store shares: what input is refused, how a score
is computed and how hits are ordered, so two stores holding the same rows give the same answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float32]

UNIT_TOLERANCE = 1e-3
"""How far a row's length may be from 1; half-precision embeddings stay well inside."""


class VectorStoreError(Exception):
    """A store was asked for something it cannot do; the message names the values at odds."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One neighbour: its id and its inner product with the query (cosine on unit vectors)."""

    id: str
    score: float


@runtime_checkable
class VectorStore(Protocol):
    """Inner-product search over unit vectors with string ids.

    Vectors are float32, shape (n, dimension), rows of length 1. Inputs are never mutated. Input
    that is refused leaves the store as it was. Searches may run side by side; a writer needs the
    store to itself.
    """

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def __len__(self) -> int:
        """Number of vectors held."""
        ...

    def ids(self) -> list[str]:
        """All ids, in the order they were added."""
        ...

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """The rows of these ids as they were added, in the order asked.

        :returns: shape (len(ids), dimension).
        :raises VectorStoreError: if an id is not held.
        """
        ...

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add rows; an id that is already held is overwritten and moves to the end of the order.

        :raises VectorStoreError: if shapes differ, an id comes twice, a value is not finite or a
            row is not of length 1.
        """
        ...

    def remove(self, ids: Sequence[str]) -> int:
        """Remove the rows of these ids; missing ids are ignored. Returns how many were removed."""
        ...

    def search(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """The k best rows per query, best first, ties by id; all rows when the store is smaller.

        :param queries: shape (q, dimension), rows of length 1.
        :raises VectorStoreError: if k < 1 or the queries are refused as `add` would refuse them.
        """
        ...

    def save(self, folder: Path) -> list[Path]:
        """Write the store into an existing folder; returns the files written. No pickle.

        :raises VectorStoreError: if a file cannot be written whole.
        """
        ...

    @classmethod
    def load(cls, folder: Path, *, dimension: int, count: int) -> Self:
        """Open what `save` wrote, checked against the dimension and count the caller recorded.

        Checksums are the caller's: a file whose numbers changed but whose shape did not is not
        noticed here.

        :raises VectorStoreError: if a file is missing, damaged or not what was recorded.
        """
        ...


def unit_rows(vectors: list[list[float]] | Vectors) -> Vectors:
    """Rows brought to length 1, float32, shape (n, dimension) as given. Rows of zeros stay zeros."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    lengths[lengths == 0] = 1.0
    return np.asarray(rows / lengths, dtype=np.float32)


def checked_dimension(dimension: int) -> int:
    """The dimension. :raises VectorStoreError: if it is below 1."""
    if dimension < 1:
        raise VectorStoreError(f"dimension must be at least 1, got {dimension}")
    return dimension


def checked_vectors(vectors: ArrayLike, dimension: int) -> Vectors:
    """The input as C-contiguous float32 of shape (n, dimension), copied only where it must be.

    :raises VectorStoreError: if it is not such a matrix of finite rows of length 1.
    """
    try:
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as exc:
        raise VectorStoreError(f"vectors are not a matrix of numbers: {exc}") from exc
    if rows.ndim != 2 or rows.shape[1] != dimension:
        raise VectorStoreError(f"expected vectors of shape (n, {dimension}), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise VectorStoreError("vectors hold a value that is not finite (nan or infinity)")
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    off = np.flatnonzero(np.abs(lengths - 1.0) > UNIT_TOLERANCE)
    if off.size:
        row = int(off[0])
        raise VectorStoreError(
            f"vectors must have length 1; row {row} has length {lengths[row]:.4g}: normalise them"
        )
    return rows


def checked_ids(ids: Sequence[str]) -> list[str]:
    """The ids as a list. :raises VectorStoreError: if one is not a string."""
    if isinstance(ids, str):
        raise VectorStoreError(f"expected a list of ids, got the single string {ids!r}")
    listed = list(ids)
    for item in listed:
        if not isinstance(item, str):
            raise VectorStoreError(f"ids must be strings, got {item!r}")
    return listed


def checked_rows(ids: Sequence[str], vectors: ArrayLike, dimension: int) -> tuple[list[str], Vectors]:
    """What `add` may take. :raises VectorStoreError: as `VectorStore.add` says."""
    listed = checked_ids(ids)
    rows = checked_vectors(vectors, dimension)
    if len(listed) != len(rows):
        raise VectorStoreError(f"{len(listed)} ids for {len(rows)} vectors")
    seen: set[str] = set()
    for item in listed:
        if item in seen:
            raise VectorStoreError(f"id {item!r} comes twice in one call")
        seen.add(item)
    return listed, rows


def checked_queries(queries: ArrayLike, k: int, dimension: int) -> Vectors:
    """What `search` may take. :raises VectorStoreError: as `VectorStore.search` says."""
    if k < 1:
        raise VectorStoreError(f"k must be at least 1, got {k}")
    return checked_vectors(queries, dimension)


def exact_scores(rows: Vectors, query: Vectors) -> Vectors:
    """Inner products of rows (n, dimension) with query (dimension,); shape (n,).

    Summed row by row in float64 and rounded once, so that a score depends on the two vectors
    alone and not on how many were compared in one call, as it does with a BLAS product.
    """
    products = rows.astype(np.float64) * query.astype(np.float64)
    scores: Vectors = products.sum(axis=1).astype(np.float32)
    return scores


def rounding(dimension: int) -> float:
    """How far apart two float32 scores may be whose true order is the other way round.

    Summing d products of unit vectors in float32 errs by at most d * eps / 2: once for either of the two.
    Two more eps cover rounding, 1 % the tolerance of lengths.
    """
    return (dimension + 2) * float(np.finfo(np.float32).eps) * 1.01


def possible(scores: Vectors, k: int, dimension: int) -> NDArray[np.int64]:
    """Places of the float32 scores (n,) that `exact_scores` may put among the k best, in ascending order."""
    if len(scores) <= k:
        return np.arange(len(scores))
    bar = np.partition(scores, len(scores) - k)[len(scores) - k] - rounding(dimension)
    return np.flatnonzero(scores >= bar)


def best(ids: Sequence[str], scores: Vectors, k: int) -> list[Hit]:
    """The k hits of highest score, best first, ties by id."""
    pairs = sorted(zip((-scores).tolist(), ids, strict=True))
    return [Hit(item, -negated) for negated, item in pairs[:k]]


def unknown_ids(missing: Sequence[str]) -> VectorStoreError:
    """The error for ids that are not held."""
    return VectorStoreError(f"{len(missing)} ids are not in the store, the first is {missing[0]!r}")


def write_json(path: Path, value: object) -> None:
    """Write one JSON value and force it to the disk. :raises VectorStoreError: if it cannot."""
    try:
        with path.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise VectorStoreError(f"could not write {path}: {exc}") from exc


def read_json(path: Path) -> object:
    """Read one JSON value. :raises VectorStoreError: if the file is missing or damaged."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise VectorStoreError(f"could not read {path}: {exc}") from exc
    return value
