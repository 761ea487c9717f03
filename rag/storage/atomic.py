"""Files that appear whole or not at all, and entries that outlast a power cut."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, synced: bool = False) -> None:
    """Write a file beside its place and rename it: readers find the old one or the new one, never half.

    :param synced: on the disk before the rename, so that a power cut cannot leave it empty.
    :raises OSError: if it cannot be written; what was there stays.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Make a file, or the new and renamed entries of a folder, durable."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
