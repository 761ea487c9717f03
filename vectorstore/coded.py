"""The coded layout of `faiss_store`: codes find candidates, the full rows in a mapped file decide.

Nearly all of the best rows are found, at a small part of the time and the memory of reading every row;
what is found has its exact score. Knows positions only. Raises what FAISS and the file system raise, and
ValueError where a file is not what was recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from vectorstore import faiss_index
from vectorstore.base import possible
from vectorstore.rows import Matrix, Positions, Rows

INDEX_FILE = "vectors.faiss"
ROWS_FILE = "vectors.rows.npy"


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search looks: each number trades time for recall (eval/LOG.md, retrieval at scale)."""

    coded_from: int = 10_000  # rows; fewer have no codes
    probes_share: float = 0.2  # of the lists are looked at
    probes_least: int = 32
    fetch_least: int = 256  # candidates that are scored with their full rows
    fetch_per_hit: int = 6
    scan_share: float = 0.1  # as candidates, of the rows: all are read then, codes would spare nothing


class Hidden:
    """Positions that count as removed."""

    def __init__(self, positions: Sequence[int]) -> None:
        self.positions: Positions = np.array(positions, dtype=np.int64)
        self.selector: Any = faiss_index.hiding(self.positions)

    def __len__(self) -> int:
        return len(self.positions)


class CodedLayout:
    """Rows by position. Those added since the last `build` have no codes: each search reads them all."""

    def __init__(self, dimension: int, effort: Effort) -> None:
        self._effort = effort
        self._rows = Rows(dimension)
        self._index = faiss_index.new_coded(dimension, 0)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def coded(self) -> int:
        """How many rows have codes; they are the first ones."""
        return int(self._index.ntotal)

    def add(self, rows: Matrix) -> None:
        """Add rows behind the others."""
        self._rows.append(rows)

    def at(self, positions: Sequence[int]) -> Matrix:
        """Copies of the rows at these positions, bit for bit as added."""
        return self._rows.at(np.array(positions, dtype=np.int64))

    def build(self) -> None:
        """Give every row its code; new lists where there are about four times the rows they were made for."""
        if len(self) < self._effort.coded_from:
            return
        if not self._index.is_trained or faiss_index.list_count(len(self)) >= 2 * int(self._index.nlist):
            index = faiss_index.new_coded(self._rows.dimension, len(self))
            index.train(self._rows.at(sample(len(self), int(index.nlist))))
            self._index = index
        for _, block in self._rows.blocks(self.coded):
            self._index.add(block)

    def candidates(self, queries: Matrix, k: int, hidden: Hidden) -> list[Positions]:
        """Per query nearly all of the k best rows, k at the least; k <= rows that are not hidden."""
        none = [np.empty(0, dtype=np.int64) for _ in queries]
        fetch = max(self._effort.fetch_least, self._effort.fetch_per_hit * k)
        if fetch > self._effort.scan_share * self.coded:
            return self._scanned(queries, k, hidden, none)
        found = self._looked_up(queries, fetch, hidden)
        if self.coded < len(self):
            found = self._scanned(queries, k, hidden, found, start=self.coded)
        short = [number for number, row in enumerate(found) if len(row) < k]
        if short:  # the lists looked at hold too few
            again = self._scanned(queries[short], k, hidden, none[: len(short)])
            for number, row in zip(short, again, strict=True):
                found[number] = row
        return [self._cut(query, row, k) for query, row in zip(queries, found, strict=True)]

    def _looked_up(self, queries: Matrix, fetch: int, hidden: Hidden) -> list[Positions]:
        """Per query up to `fetch` positions, best codes of the nearest lists, in ascending order."""
        probes = max(self._effort.probes_least, round(self._effort.probes_share * int(self._index.nlist)))
        _, rows = faiss_index.nearest(
            self._index, queries, fetch, probes=min(probes, int(self._index.nlist)), selector=hidden.selector
        )
        # without FAISS's -1 for a missing hit, and without what only a damaged file can hold
        return [np.unique(row[(row >= 0) & (row < self.coded)]) for row in rows]

    def _scanned(
        self, queries: Matrix, k: int, hidden: Hidden, found: Sequence[Positions], start: int = 0
    ) -> list[Positions]:
        """`found`, and of all rows from `start` on those that may be among their k best."""
        kept = [[row] for row in found]
        for first, block in self._rows.blocks(start):
            scores = queries @ block.T
            inside = (hidden.positions >= first) & (hidden.positions < first + len(block))
            scores[:, hidden.positions[inside] - first] = -np.inf
            for own, row in zip(kept, scores, strict=True):
                best = possible(row, k, self._rows.dimension)
                own.append(best[np.isfinite(row[best])] + first)
        merged = [np.concatenate(own) for own in kept]
        return [self._cut(query, row, k) for query, row in zip(queries, merged, strict=True)]

    def _cut(self, query: Matrix, positions: Positions, k: int) -> Positions:
        """Those of the positions that may be among their k best."""
        scores = self._rows.at(positions) @ query
        return positions[possible(scores, k, self._rows.dimension)]

    def save(self, folder: Path) -> list[Path]:
        """Write codes and rows into an existing folder; rows without codes get theirs first."""
        self.build()
        faiss_index.write_index(self._index, folder / INDEX_FILE)
        self._rows.save(folder / ROWS_FILE)
        return [folder / INDEX_FILE, folder / ROWS_FILE]

    @classmethod
    def load(cls, folder: Path, dimension: int, count: int, effort: Effort) -> Self:
        """Open what `save` wrote; the rows are mapped."""
        layout = cls(dimension, effort)
        index = faiss_index.read_index(folder / INDEX_FILE, dimension, count)
        expected = faiss_index.coded_as_expected(index, dimension, count)
        if (found := faiss_index.described(index)) not in expected:
            raise ValueError(f"holds {found}, expected {expected[0]}")
        layout._index = index
        layout._rows = Rows.load(folder / ROWS_FILE, (count, dimension))
        return layout

    @classmethod
    def load_older(cls, folder: Path, dimension: int, count: int, effort: Effort) -> Self:
        """The rows of an HNSW or IVF index of full rows; they get codes when they are saved."""
        layout = cls(dimension, effort)
        index = faiss_index.read_index(folder / INDEX_FILE, dimension, count)
        rows = faiss_index.rows_of_older(index)
        if rows is None or rows.shape != (count, dimension):
            raise ValueError(f"holds {faiss_index.described(index)}, expected {count} rows of {dimension}")
        layout.add(rows)
        return layout


def sample(count: int, lists: int) -> Positions:
    """Positions of the rows the lists are made from, evenly spread."""
    wanted = min(count, faiss_index.SAMPLE_PER_LIST * lists)
    return np.linspace(0, count - 1, wanted).astype(np.int64)
