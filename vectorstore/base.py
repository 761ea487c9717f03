"""What a vector store promises. Knows ids and vectors only: no text, no model, nothing of rag/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


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

    Vectors are float32, shape (n, dimension), rows of length 1. Inputs are never mutated.
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

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add rows; an id that is already held is overwritten (its place in the order may change).

        :raises VectorStoreError: if shapes differ, an id comes twice, or a value is not finite.
        """
        ...

    def remove(self, ids: Sequence[str]) -> int:
        """Remove the rows of these ids; missing ids are ignored. Returns how many were removed."""
        ...

    def search(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """The k best rows per query, best first, ties by id. Fewer than k when the store is smaller.

        :param queries: shape (q, dimension).
        :raises VectorStoreError: if the dimension differs or k < 1.
        """
        ...

    def save(self, folder: Path) -> list[Path]:
        """Write the store into an existing folder; returns the files written. No pickle."""
        ...
