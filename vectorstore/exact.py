"""Brute force over a numpy matrix: the oracle the other stores are tested against.

Reads every row in float64 for every query; correct before fast.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from vectorstore.base import (
    Hit,
    Vectors,
    VectorStoreError,
    best,
    checked_dimension,
    checked_ids,
    checked_queries,
    checked_rows,
    exact_scores,
    read_json,
    unknown_ids,
    write_json,
)
from vectorstore.rows import mapped_matrix

VECTORS_FILE = "vectors.npy"
IDS_FILE = "vectors.ids.json"


class ExactStore:
    """A `VectorStore` that compares the query with every row."""

    def __init__(self, dimension: int) -> None:
        self._dimension = checked_dimension(dimension)
        self._rows: dict[str, Vectors] = {}  # id -> shape (dimension,), in the order added

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    def __len__(self) -> int:
        """Number of vectors held."""
        return len(self._rows)

    def ids(self) -> list[str]:
        """All ids, in the order they were added."""
        return list(self._rows)

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """The rows of these ids, shape (len(ids), dimension).

        :raises VectorStoreError: if an id is not held.
        """
        wanted = checked_ids(ids)
        missing = [item for item in wanted if item not in self._rows]
        if missing:
            raise unknown_ids(missing)
        rows = np.empty((len(wanted), self._dimension), dtype=np.float32)
        for number, item in enumerate(wanted):
            rows[number] = self._rows[item]
        return rows

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or overwrite rows. :raises VectorStoreError: as `VectorStore.add` says."""
        listed, rows = checked_rows(ids, vectors, self._dimension)
        self.remove(listed)
        for item, row in zip(listed, rows, strict=True):
            self._rows[item] = row.copy()

    def remove(self, ids: Sequence[str]) -> int:
        """Remove rows, missing ids ignored; returns how many were removed."""
        before = len(self._rows)
        for item in checked_ids(ids):
            self._rows.pop(item, None)
        return before - len(self._rows)

    def search(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """The k best rows per query. :raises VectorStoreError: as `VectorStore.search` says."""
        checked = checked_queries(queries, k, self._dimension)
        ids = self.ids()
        rows = self.vectors(ids)
        return [best(ids, exact_scores(rows, query), k) for query in checked]

    def save(self, folder: Path) -> list[Path]:
        """Write `vectors.npy` and `vectors.ids.json` into an existing folder.

        :raises VectorStoreError: if a file cannot be written whole.
        """
        vectors_path, ids_path = folder / VECTORS_FILE, folder / IDS_FILE
        try:
            with vectors_path.open("wb") as file:
                np.save(file, self.vectors(self.ids()), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise VectorStoreError(f"could not write {vectors_path}: {exc}") from exc
        write_json(ids_path, self.ids())
        return [vectors_path, ids_path]

    @classmethod
    def load(cls, folder: Path, *, dimension: int, count: int) -> Self:
        """Open what `save` wrote; checksums are the caller's.

        :raises VectorStoreError: if a file is missing, damaged or not what was recorded.
        """
        store = cls(dimension)
        ids = read_json(folder / IDS_FILE)
        if not isinstance(ids, list) or len(ids) != count:
            raise VectorStoreError(f"{folder / IDS_FILE} does not hold a list of {count} ids")
        path = folder / VECTORS_FILE
        try:
            rows = mapped_matrix(path, (count, dimension))
        except (OSError, ValueError) as exc:
            raise VectorStoreError(f"could not read {path}: {exc}") from exc
        store.add(ids, rows)
        return store
