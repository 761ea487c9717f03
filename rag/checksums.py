"""sha256 of files: what models, indexes and generations are checked with."""

from __future__ import annotations

import hashlib
from pathlib import Path

_READ_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in pieces.

    :raises OSError: if the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
