"""Float32 rows by position, as they were added: a mapped file, and behind it what was added since.

The mapped part costs no memory of the process: the system keeps what is read and drops it when it needs room.
"""

from __future__ import annotations

import os
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Positions = NDArray[np.int64]

BLOCK_ROWS = 16_384  # rows looked at together; at 384 numbers a row 25 MB


class Rows:
    """Rows of one dimension, append only; row i is found at position i."""

    def __init__(self, dimension: int) -> None:
        self._mapped: Matrix = np.empty((0, dimension), dtype=np.float32)
        self._room: Matrix = np.empty((0, dimension), dtype=np.float32)  # grows by doubling
        self._added = 0

    def __len__(self) -> int:
        return len(self._mapped) + self._added

    @property
    def dimension(self) -> int:
        """Numbers in a row."""
        return int(self._mapped.shape[1])

    def append(self, rows: Matrix) -> None:
        """Add copies of rows, shape (n, dimension)."""
        needed = self._added + len(rows)
        if needed > len(self._room):
            room = np.empty((max(needed, 2 * len(self._room)), self.dimension), dtype=np.float32)
            room[: self._added] = self._room[: self._added]
            self._room = room
        self._room[self._added : needed] = rows
        self._added = needed

    def at(self, positions: Positions) -> Matrix:
        """Copies of the rows at these positions, bit for bit as added; shape (len(positions), dimension)."""
        mapped = len(self._mapped)
        if not self._added:
            return self._mapped[positions]
        if not mapped:
            return self._room[positions]
        found = np.empty((len(positions), self.dimension), dtype=np.float32)
        old = positions < mapped
        found[old] = self._mapped[positions[old]]
        found[~old] = self._room[positions[~old] - mapped]
        return found

    def blocks(self, start: int = 0) -> Iterator[tuple[int, Matrix]]:
        """The rows from position `start` on as views of at most `BLOCK_ROWS`, with their first positions."""
        first = 0
        for part in (self._mapped, self._room[: self._added]):
            for place in range(max(start - first, 0), len(part), BLOCK_ROWS):
                yield first + place, part[place : place + BLOCK_ROWS]
            first += len(part)

    def save(self, path: Path) -> None:
        """Write all rows as one `.npy` and force it to the disk; `path` may be what is mapped here.

        :raises OSError: if the file cannot be written whole.
        """
        partial = path.with_name(f".{path.name}.partial")
        shape = {"descr": "<f4", "fortran_order": False, "shape": (len(self), self.dimension)}
        try:
            with partial.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, shape)
                for _, block in self.blocks():
                    file.write(block.astype("<f4", copy=False).data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, shape: tuple[int, int]) -> Self:
        """Map what `save` wrote.

        :raises ValueError: if the file does not hold a float32 matrix of this shape.
        :raises OSError: if it cannot be read.
        """
        loaded = cls(shape[1])
        loaded._mapped = mapped_matrix(path, shape)
        return loaded


def mapped_matrix(path: Path, shape: tuple[int, int]) -> Matrix:
    """The float32 matrix in a `.npy` file, mapped, read only.

    :raises ValueError: if the file holds anything else.
    :raises OSError: if it cannot be read.
    """
    try:
        # mapped: a damaged header may claim any size, and no map opens pickled objects
        rows = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError, SyntaxError, tokenize.TokenError) as exc:
        raise ValueError(f"not a whole .npy file: {exc}") from exc
    if rows.dtype != np.float32 or rows.shape != shape or not rows.flags.c_contiguous:
        raise ValueError(f"does not hold a float32 matrix of shape {shape}")
    return rows.view(np.ndarray)
