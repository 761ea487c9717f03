"""sha256 of files: what models, indexes and generations are checked with.

Large files are read once: one whose size, times and inode are unchanged is not read again, or a start would
read a gigabyte of weights. `citewise doctor` forgets first, and so reads everything.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.storage.atomic import write_whole

_READ_BYTES = 1 << 20
_MEMORY = "checksums.json"
_SMALL_BYTES = 1 << 20  # not worth remembering
_SETTLED_NS = 2_000_000_000  # a file changed this lately may change again within one tick of its clock


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in pieces.

    :raises OSError: if the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def remembered_sha256(path: Path, folder: Path) -> str:
    """Hex sha256 of a file; what was read before is kept in `folder`, if that can be written.

    :raises OSError: if the file cannot be read.
    """
    stat = path.stat()
    if stat.st_size < _SMALL_BYTES:
        return sha256_of(path)
    stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    name = str(path.resolve())
    known = _read(folder)
    if known.get(name, {}).get("stamp") == stamp:
        return str(known[name]["sha256"])
    digest = sha256_of(path)
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _SETTLED_NS:
        with suppress(OSError):
            _write(folder, {**known, name: {"stamp": stamp, "sha256": digest}})
    return digest


def forget(cache_dir: Path) -> None:
    """Forget every checksum below a cache folder: whatever is looked at next is read again."""
    for memory in cache_dir.rglob(_MEMORY):
        with suppress(OSError):
            memory.unlink()


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads((folder / _MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict) or not all(isinstance(entry, dict) for entry in known.values()):
        return {}
    return known


def _write(folder: Path, known: dict[str, dict[str, Any]]) -> None:
    """Replace the memory; files that are gone are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    present = {name: entry for name, entry in known.items() if Path(name).exists()}
    write_whole(folder / _MEMORY, json.dumps(present, indent=1))
