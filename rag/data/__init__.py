"""What ships as data: the default corpus and the fitted weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent


def corpus_files() -> list[Path]:
    """The listing pages of the default corpus."""
    return sorted((_FOLDER / "corpus").glob("*.txt"))


def data_fingerprint() -> str:
    """First 16 hex digits of sha256 over every fitted file."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.json")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
