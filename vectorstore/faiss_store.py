"""The default store: FAISS in this process, flat (exact) or coded (sooner, nearly exact). No server, no text.

A row's position is its place in `_slots`; FAISS's own numbers, its -1 for a missing hit and its float32
scores never leave the layouts. Their candidates are scored again by `exact_scores`, so every kind gives the
oracle's scores and order for what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self, cast, get_args

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
from vectorstore.coded import CodedLayout, Effort, Hidden
from vectorstore.flat import FlatLayout
from vectorstore.rows import Positions

Kind = Literal["flat", "coded"]
OLDER_KINDS = ("hnsw", "ivf")  # full rows in FAISS: still read, and saved as "coded"

IDS_FILE = "vectors.ids.json"

FLAT_BELOW = 50_000  # vectors; one exact 384-d query there costs about 10 ms on one core
BLOCK = 64  # queries looked up together; bounds the memory of a large batch
REWRITE_ROWS = 16_384  # rows moved together into a new layout
DEAD_SHARE = 0.25  # hidden rows, as a share of the living, before the rows are written anew


def choose_kind(count: int) -> Kind:
    """The kind that suits a collection of `count` vectors: exact as long as that is fast."""
    return "flat" if count < FLAT_BELOW else "coded"


class FaissStore:
    """A `VectorStore` over rows in FAISS or, coded, in a mapped file beside FAISS's codes.

    `flat` finds exactly the best rows. `coded` finds nearly all of them much sooner; rows added to it are
    read in full by every search until `save` gives them codes, and rows removed stay, hidden, until
    `DEAD_SHARE`.
    """

    def __init__(self, dimension: int, kind: Kind = "flat", *, effort: Effort | None = None) -> None:
        """:raises VectorStoreError: if the dimension is below 1 or the kind is not known."""
        if kind not in get_args(Kind):
            raise VectorStoreError(f"kind must be one of {get_args(Kind)}, got {kind!r}")
        self._dimension = checked_dimension(dimension)
        self._effort = effort or Effort()
        self._layout = self._empty(kind)
        self._slots: list[str | None] = []  # id at each position, None where removed
        self._positions: dict[str, int] = {}  # the inverse, in the order added
        self._hidden: Hidden | None = None  # made by the first search after a change

    def _empty(self, kind: Kind) -> FlatLayout | CodedLayout:
        if kind == "flat":
            return FlatLayout(self._dimension)
        return CodedLayout(self._dimension, self._effort)

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    @property
    def kind(self) -> Kind:
        """How the vectors are held."""
        return "flat" if isinstance(self._layout, FlatLayout) else "coded"

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
        return self._layout.at([self._positions[item] for item in wanted])

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or overwrite rows. :raises VectorStoreError: as `VectorStore.add` says."""
        listed, rows = checked_rows(ids, vectors, self._dimension)
        if listed:
            self.remove(listed)
            self._layout.add(rows)
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
        if dead and isinstance(self._layout, FlatLayout):
            self._layout.drop(dead)  # closes the gaps, keeps the order
            self._reset(self.ids())
        elif len(self._slots) - len(self) > DEAD_SHARE * len(self):
            self.become(self.kind)
        return len(held)

    def become(self, kind: Kind) -> None:
        """Hold the same rows in a new layout of this kind, without what was hidden."""
        fresh, ids = self._empty(kind), self.ids()
        for start in range(0, len(ids), REWRITE_ROWS):
            fresh.add(self.vectors(ids[start : start + REWRITE_ROWS]))
        self._layout = fresh
        self._reset(ids)

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
        """Write the rows, what finds them and the ids into an existing folder, forced to disk.

        :raises VectorStoreError: if a file cannot be written whole.
        """
        ids_path = folder / IDS_FILE
        try:
            written = self._layout.save(folder)
        except (OSError, RuntimeError) as exc:
            raise VectorStoreError(f"could not write the vectors into {folder}: {exc}") from exc
        write_json(ids_path, {"kind": self.kind, "slots": self._slots})
        return [*written, ids_path]

    @classmethod
    def load(cls, folder: Path, *, dimension: int, count: int, effort: Effort | None = None) -> Self:
        """Open what `save` wrote, checked against the caller's dimension and count.

        Checksums are the caller's manifest (rag/index/paper_index.py) and come first: FAISS has none, and a
        file whose numbers changed but whose shape did not is opened here without a word.

        :raises VectorStoreError: if a file is missing, damaged or not what was recorded.
        """
        kind, slots = _read_slots(folder / IDS_FILE)
        store = cls(dimension, "flat" if kind == "flat" else "coded", effort=effort)
        store._append(slots)
        if len(store) != count:
            raise VectorStoreError(f"{folder / IDS_FILE} holds {len(store)} ids, expected {count}")
        try:
            store._layout = _read_layout(folder, kind, dimension, len(slots), store._effort)
        except (OSError, RuntimeError, ValueError, MemoryError) as exc:
            raise VectorStoreError(f"could not read the vectors in {folder}: {exc}") from exc
        return store

    def _search_block(self, queries: Vectors, k: int) -> list[list[Hit]]:
        """Hits of a few queries; k <= len(self)."""
        if isinstance(self._layout, FlatLayout):
            found = self._layout.candidates(queries, k)
        else:
            found = self._layout.candidates(queries, k, self._removed())
        return [self._rescored(query, row, k) for query, row in zip(queries, found, strict=True)]

    def _removed(self) -> Hidden:
        hidden = self._hidden
        if hidden is None:
            dead = len(self._slots) > len(self)
            hidden = Hidden([p for p, slot in enumerate(self._slots) if slot is None] if dead else [])
            self._hidden = hidden
        return hidden

    def _rescored(self, query: Vectors, positions: Positions, k: int) -> list[Hit]:
        """The k best of these candidates by exact score, ties by id."""
        held: list[int] = positions.tolist()
        ids = [cast(str, self._slots[position]) for position in held]
        return best(ids, exact_scores(self._layout.at(held), query), k)

    def _reset(self, ids: Sequence[str]) -> None:
        self._slots, self._positions, self._hidden = [], {}, None
        self._append(ids)

    def _append(self, slots: Iterable[str | None]) -> None:
        for slot in slots:
            if slot is not None:
                self._positions[slot] = len(self._slots)
            self._slots.append(slot)


def _read_layout(
    folder: Path, kind: str, dimension: int, count: int, effort: Effort
) -> FlatLayout | CodedLayout:
    if kind == "flat":
        return FlatLayout.load(folder, dimension, count)
    if kind in OLDER_KINDS:
        return CodedLayout.load_older(folder, dimension, count, effort)
    return CodedLayout.load(folder, dimension, count, effort)


def _read_slots(path: Path) -> tuple[str, list[str | None]]:
    """The kind and the id at each position. :raises VectorStoreError: if the file is not ours."""
    saved = read_json(path)
    if not isinstance(saved, dict) or saved.get("kind") not in (*get_args(Kind), *OLDER_KINDS):
        raise VectorStoreError(f"{path} names no known kind of index")
    slots = saved.get("slots")
    if not isinstance(slots, list) or not all(isinstance(slot, str | None) for slot in slots):
        raise VectorStoreError(f"{path} holds no list of ids")
    held = [slot for slot in slots if slot is not None]
    if len(set(held)) != len(held):
        raise VectorStoreError(f"{path} holds an id twice")
    return str(saved["kind"]), slots
