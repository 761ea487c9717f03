"""The default store: FAISS in this process, flat (exact), HNSW or IVF. No server, no text.

A row's position in FAISS is its place in `_slots`; FAISS's own numbers, its -1 for a missing hit
and its float32 scores never leave this file. Candidates come from FAISS and are scored again by
`exact_scores`, so every kind gives the oracle's scores and order for what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, cast, get_args

import numpy as np

from vectorstore import faiss_index
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
from vectorstore.faiss_index import Kind, Positions, choose_kind

__all__ = ["FaissStore", "Kind", "choose_kind"]

INDEX_FILE = "vectors.faiss"
IDS_FILE = "vectors.ids.json"

MARGIN = 16  # candidates fetched beyond k, so that a tie at the cut-off is seen
BLOCK = 64  # queries per FAISS call; bounds the memory of a large batch
DEAD_SHARE = 0.25  # hidden rows, as a share of the living, before an index is rebuilt


class FaissStore:
    """A `VectorStore` over FAISS inner-product indexes that keep full float32 rows.

    `flat` finds exactly the best rows. `hnsw` and `ivf` find nearly all of them much sooner; what
    is removed from these stays in the index, hidden, until it is rebuilt at `DEAD_SHARE`.
    An HNSW graph depends on thread timing: two builds may miss different rows, one file does not.
    """

    def __init__(self, dimension: int, kind: Kind = "flat") -> None:
        """:raises VectorStoreError: if the dimension is below 1 or the kind is not known."""
        if kind not in get_args(Kind):
            raise VectorStoreError(f"kind must be one of {get_args(Kind)}, got {kind!r}")
        self._dimension = checked_dimension(dimension)
        self._kind: Kind = kind
        self._index = faiss_index.new_index(kind, dimension, 0)
        self._slots: list[str | None] = []  # id at each FAISS position, None where removed
        self._positions: dict[str, int] = {}  # the inverse, in the order added
        self._hidden: Any = None  # FAISS selector for the removed, made by the first search

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    @property
    def kind(self) -> Kind:
        """Which FAISS index holds the vectors."""
        return self._kind

    def __len__(self) -> int:
        """Number of vectors held."""
        return len(self._positions)

    def ids(self) -> list[str]:
        """All ids, in the order they were added."""
        return list(self._positions)

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """The rows of these ids, bit for bit as added; shape (len(ids), dimension).

        :raises VectorStoreError: if an id is not held.
        """
        wanted = checked_ids(ids)
        missing = [item for item in wanted if item not in self._positions]
        if missing:
            raise unknown_ids(missing)
        return faiss_index.rows_at(self._index, [self._positions[item] for item in wanted])

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or overwrite rows. :raises VectorStoreError: as `VectorStore.add` says."""
        listed, rows = checked_rows(ids, vectors, self._dimension)
        if not listed:
            return
        self.remove(listed)
        if faiss_index.outgrown(self._index, len(self) + len(rows)):
            held = self.ids()
            self._rebuild(held + listed, np.concatenate([self.vectors(held), rows]))
        else:
            self._index.add(rows)
            self._append(listed)

    def remove(self, ids: Sequence[str]) -> int:
        """Remove rows, missing ids ignored; returns how many were removed.

        :raises VectorStoreError: if an id is not a string.
        """
        held = {item for item in checked_ids(ids) if item in self._positions}
        dead = [self._positions.pop(item) for item in held]
        for position in dead:
            self._slots[position] = None
        self._hidden = None
        if dead and self._kind == "flat":
            self._index.remove_ids(np.array(dead, dtype=np.int64))  # closes the gaps, keeps order
            self._reset(self.ids())
        elif len(self._slots) - len(self) > DEAD_SHARE * len(self):
            self._rebuild(self.ids(), self.vectors(self.ids()))
        return len(held)

    def search(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """The k best rows per query. :raises VectorStoreError: as `VectorStore.search` says."""
        checked = checked_queries(queries, k, self._dimension)
        if not self._positions:
            return [[] for _ in checked]
        hits: list[list[Hit]] = []
        try:
            for start in range(0, len(checked), BLOCK):
                hits += self._search_block(checked[start : start + BLOCK], min(k, len(self)))
        except RuntimeError as exc:
            raise VectorStoreError(f"FAISS could not search, is the index damaged? {exc}") from exc
        return hits

    def save(self, folder: Path) -> list[Path]:
        """Write `vectors.faiss` and `vectors.ids.json` into an existing folder, forced to disk.

        :raises VectorStoreError: if a file cannot be written whole.
        """
        index_path, ids_path = folder / INDEX_FILE, folder / IDS_FILE
        try:
            faiss_index.write_index(self._index, index_path)
        except (OSError, RuntimeError) as exc:
            raise VectorStoreError(f"could not write {index_path}: {exc}") from exc
        write_json(ids_path, {"kind": self._kind, "slots": self._slots})
        return [index_path, ids_path]

    @classmethod
    def load(cls, folder: Path, *, dimension: int, count: int) -> Self:
        """Open what `save` wrote, checked against the caller's dimension and count.

        Checksums are the caller's manifest (rag/index.py) and come first: FAISS has none, and a
        file whose numbers changed but whose shape did not is opened here without a word.

        :raises VectorStoreError: if a file is missing, damaged or not what was recorded.
        """
        index_path, ids_path = folder / INDEX_FILE, folder / IDS_FILE
        kind, slots = _read_slots(ids_path)
        store = cls(dimension, kind)
        store._append(slots)
        if len(store) != count:
            raise VectorStoreError(f"{ids_path} holds {len(store)} ids, expected {count}")
        try:
            store._index = faiss_index.read_index(index_path, dimension, len(slots))
        except (RuntimeError, MemoryError) as exc:
            raise VectorStoreError(f"could not read {index_path}: {exc}") from exc
        store._check_index(index_path)
        return store

    def _check_index(self, path: Path) -> None:
        """:raises VectorStoreError: naming both sides, if the index is not what the ids say."""
        found = faiss_index.described(self._index)
        empty = faiss_index.new_index(self._kind, self._dimension, 0)
        expected = faiss_index.described(empty).replace("rows=0", f"rows={len(self._slots)}")
        if found != expected:
            raise VectorStoreError(f"{path} holds {found}, expected {expected}")

    def _search_block(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """Hits of a few queries; k <= len(self). Fetches more where the cut-off is not certain."""
        if self._hidden is None and len(self._slots) > len(self):
            dead = [position for position, slot in enumerate(self._slots) if slot is None]
            self._hidden = faiss_index.hiding(dead)
        found: list[list[Hit]] = [[] for _ in queries]
        pending, fetch = list(range(len(queries))), min(k + MARGIN, len(self))
        while pending:
            everything = fetch == len(self)
            scores, positions = faiss_index.nearest(
                self._index, queries[pending], fetch, selector=self._hidden, exhaustive=everything
            )
            unsettled: list[int] = []
            for number, row_scores, row in zip(pending, scores, positions, strict=True):
                real = row[row >= 0]
                if everything or _settled(row_scores[: len(real)], k, self._dimension):
                    found[number] = self._rescored(queries[number], real, k)
                else:
                    unsettled.append(number)
            pending, fetch = unsettled, min(2 * fetch, len(self))
        return found

    def _rescored(self, query: Vectors, positions: Positions, k: int) -> list[Hit]:
        """The k best of these candidates by exact score, ties by id."""
        held: list[int] = positions.tolist()
        ids = [cast(str, self._slots[position]) for position in held]
        return best(ids, exact_scores(faiss_index.rows_at(self._index, held), query), k)

    def _rebuild(self, ids: Sequence[str], rows: Vectors) -> None:
        self._index = faiss_index.new_index(self._kind, self._dimension, len(rows))
        if len(rows):
            self._index.train(rows)
            self._index.add(rows)
        self._reset(ids)

    def _reset(self, ids: Sequence[str]) -> None:
        self._slots, self._positions, self._hidden = [], {}, None
        self._append(ids)

    def _append(self, slots: Iterable[str | None]) -> None:
        for slot in slots:
            if slot is not None:
                self._positions[slot] = len(self._slots)
            self._slots.append(slot)


def _settled(scores: Vectors, k: int, dimension: int) -> bool:
    """Whether no row beyond these (n,) FAISS scores, best first, can belong to the k best.

    Summing d products of unit vectors in float32 errs by at most d * eps / 2: once for the k-th
    row and once for the row not seen. Two more eps cover rounding, 1 % the tolerance of lengths.
    """
    bound = (dimension + 2) * float(np.finfo(np.float32).eps) * 1.01
    return len(scores) >= k and float(scores[k - 1]) - float(scores[-1]) > bound


def _read_slots(path: Path) -> tuple[Kind, list[str | None]]:
    """The kind and the id at each position. :raises VectorStoreError: if the file is not ours."""
    saved = read_json(path)
    if not isinstance(saved, dict) or saved.get("kind") not in get_args(Kind):
        raise VectorStoreError(f"{path} names no known kind of index")
    slots = saved.get("slots")
    if not isinstance(slots, list) or not all(isinstance(slot, str | None) for slot in slots):
        raise VectorStoreError(f"{path} holds no list of ids")
    held = [slot for slot in slots if slot is not None]
    if len(set(held)) != len(held):
        raise VectorStoreError(f"{path} holds an id twice")
    return cast(Kind, saved["kind"]), slots
