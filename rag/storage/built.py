"""Folders that are made once, from something else, and kept: whole by their manifest of checksums."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rag.storage.atomic import whole_folder
from rag.storage.checksums import remembered_sha256, sha256_of

_MANIFEST = "citewise-conversion.json"
_FORMAT = 1


def built_once(target: Path, fill: Callable[[Path], None]) -> None:
    """Make `target` with `fill` unless it is there and whole; it appears complete or not at all.

    :raises OSError: if it cannot be written; and whatever `fill` raises.
    """
    if is_complete(target):
        return
    with whole_folder(target) as partial:
        fill(partial)
        _write_manifest(partial)


def is_complete(folder: Path) -> bool:
    """True when the manifest is there and every file it names has its sha256."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT:
            return False
        return all(
            remembered_sha256(folder / name, folder.parent) == digest
            for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _write_manifest(folder: Path) -> None:
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    text = json.dumps({"format": _FORMAT, "files": files}, indent=1)
    (folder / _MANIFEST).write_text(text, encoding="utf-8")
