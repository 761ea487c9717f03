"""Vectors kept as they are computed, so that an ingestion that was killed goes on where it stopped.

One file of records: sha256 of the text (16 bytes), CRC-32 of the row, the row. What a kill cut off, or a
disk damaged, does not match its CRC and is computed again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
_KEY_BYTES = 16


class VectorJournal:
    """The rows of one embedding model in one folder. One writer."""

    def __init__(self, folder: Path, checksum: str) -> None:
        self._folder = folder
        self._stem = f".vectors-{checksum[:12]}"
        self._rows: dict[bytes, Rows] = {}
        for path in folder.glob(f"{self._stem}-*.bin"):
            self._rows.update(_read(path, int(path.stem.rpartition("-")[2])))

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, text: str) -> Rows | None:
        """The vector of a text, shape (dimension,), if it was computed before."""
        return self._rows.get(_key(text))

    def keep(self, texts: Sequence[str], rows: Rows) -> None:
        """Append the rows of texts. :raises OSError: if they cannot be written."""
        path = self._folder / f"{self._stem}-{rows.shape[1]}.bin"
        records = np.zeros(len(rows), dtype=_record(rows.shape[1]))
        for record, text, row in zip(records, texts, rows, strict=True):
            record["key"] = np.void(_key(text))
            record["crc"] = zlib.crc32(row.tobytes())
            record["row"] = row
        whole = path.stat().st_size // records.itemsize * records.itemsize if path.exists() else 0
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(whole)  # half a record of a writer that was killed
            file.seek(whole)
            file.write(records.tobytes())


def discard(folder: Path) -> None:
    """Remove every journal of a folder: what they hold is in the index now."""
    for path in folder.glob(".vectors-*.bin"):
        path.unlink(missing_ok=True)


def _record(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("key", f"V{_KEY_BYTES}"), ("crc", "<u4"), ("row", "<f4", (dimension,))])


def _read(path: Path, dimension: int) -> dict[bytes, Rows]:
    """The rows that are whole."""
    kind = _record(dimension)
    whole = path.stat().st_size // kind.itemsize
    if not whole:
        return {}
    records = np.memmap(path, dtype=kind, mode="r", shape=(whole,))
    return {
        bytes(record["key"].tobytes()): record["row"]
        for record in records
        if zlib.crc32(record["row"].tobytes()) == record["crc"]
    }


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]
