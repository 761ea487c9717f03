"""Files and folders that appear whole or not at all, and entries that outlast a power cut.

Each is made beside its place and renamed: readers find the old one or the new one, never half.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path, *, partial: Path | None = None, synced: bool = False) -> Iterator[Path]:
    """A place to write a file at; it becomes `path` at the end, and vanishes on failure.

    :param partial: that place, in the folder of `path`, where only one process writes the file; what a killed
        one left there is written over. Otherwise a name of this thread's own.
    :param synced: on the disk before the rename, so that a power cut cannot leave it empty.
    :raises OSError: if it cannot be written; what was at `path` stays.
    """
    partial = partial or path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        yield partial
        if synced:
            sync(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path, *, synced: bool = False) -> Iterator[Path]:
    """An empty folder to fill; it takes the place of `path` at the end, and vanishes on failure.

    What a killed process leaves is called `.new-*`, beside `path`.

    :param synced: all that is in it is on the disk before the rename.
    :raises OSError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        yield partial
        if synced:
            sync_tree(partial)
        if path.exists():
            shutil.rmtree(path)
        os.replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_whole(path: Path, content: str | bytes, *, synced: bool = False) -> None:
    """Write a file that appears whole, text as UTF-8.

    :param synced: on the disk before the rename, so that a power cut cannot leave it empty.
    :raises OSError: if it cannot be written; what was there stays.
    """
    with whole_file(path, synced=synced) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def sync(path: Path) -> None:
    """Make a file, or the new and renamed entries of a folder, durable (folders not on Windows)."""
    if sys.platform == "win32" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make all that a folder holds, and its entries, durable."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
