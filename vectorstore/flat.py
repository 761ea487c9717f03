"""The flat layout of `faiss_store`: full rows in FAISS, every search reads all of them, none is missed.

Knows positions only. Raises what FAISS and the file system raise, and ValueError where a file is not what was
recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from vectorstore import faiss_index
from vectorstore.base import rounding
from vectorstore.rows import Matrix, Positions

INDEX_FILE = "vectors.faiss"
MARGIN = 16  # candidates fetched beyond k, so that a tie at the cut-off is seen


class FlatLayout:
    """Rows by position."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss_index.new_flat(dimension)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, rows: Matrix) -> None:
        """Add rows behind the others."""
        self._index.add(rows)

    def at(self, positions: Sequence[int]) -> Matrix:
        """Copies of the rows at these positions, bit for bit as added."""
        return faiss_index.reconstructed(self._index, np.array(positions, dtype=np.int64))

    def drop(self, positions: Sequence[int]) -> None:
        """Take rows out; those behind them move up."""
        self._index.remove_ids(np.array(positions, dtype=np.int64))

    def candidates(self, queries: Matrix, k: int) -> list[Positions]:
        """Per query positions among which the k best are for certain; k <= len(self).

        FAISS's float32 order is not trusted: more are fetched where the cut-off is within its rounding.
        """
        found: list[Positions] = [np.empty(0, dtype=np.int64) for _ in queries]
        pending, fetch = list(range(len(queries))), min(k + MARGIN, len(self))
        while pending:
            everything = fetch == len(self)
            scores, positions = faiss_index.nearest(self._index, queries[pending], fetch)
            unsettled: list[int] = []
            for number, row_scores, row in zip(pending, scores, positions, strict=True):
                found[number] = row[row >= 0]
                if not everything and not _settled(row_scores[: len(found[number])], k, queries.shape[1]):
                    unsettled.append(number)
            pending, fetch = unsettled, min(2 * fetch, len(self))
        return found

    def save(self, folder: Path) -> list[Path]:
        """Write the rows into an existing folder."""
        faiss_index.write_index(self._index, folder / INDEX_FILE)
        return [folder / INDEX_FILE]

    @classmethod
    def load(cls, folder: Path, dimension: int, count: int) -> Self:
        """Open what `save` wrote."""
        layout = cls(dimension)
        expected = faiss_index.described(layout._index).replace("rows=0", f"rows={count}")
        index = faiss_index.read_index(folder / INDEX_FILE, dimension, count)
        if (found := faiss_index.described(index)) != expected:
            raise ValueError(f"holds {found}, expected {expected}")
        layout._index = index
        return layout


def _settled(scores: Matrix, k: int, dimension: int) -> bool:
    """Whether no row beyond these (n,) FAISS scores, best first, can belong to the k best."""
    return len(scores) >= k and float(scores[k - 1]) - float(scores[-1]) > rounding(dimension)
