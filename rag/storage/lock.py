"""One process at a time: a lock that the system lets go of however its holder ends.

The number of the process that holds it stands in the lock's file. What a killed process left of it holds
no one up.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


class ProcessLock:
    """A lock on the file `path`, held from the making of this object until `close`.

    :param refused: makes the error to raise out of the number of the process that holds the lock, or `?`.
    :param kept: the file stays when the lock is let go of.
    :raises OSError: if the file cannot be opened, its folder is not there, or the file system knows no locks.
    """

    def __init__(self, path: Path, refused: Callable[[str], Exception], *, kept: bool = True) -> None:
        from filelock import FileLock, Timeout  # 20 to 30 ms that only who locks has to pay

        self._path, self._kept = path, kept
        path.parent.stat()  # the library would make a folder that is not there
        # Any thread may close it; what only looks like a lock would outlive a killed process.
        self._lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=_sign)
        try:
            self._lock.acquire(blocking=False)
        except Timeout as exc:
            raise refused(_holder(path)) from exc

    def close(self) -> None:
        """Let go of it; a file that does not stay is removed while nobody else can hold it."""
        try:
            if not self._kept and self._lock.is_locked and os.name != "nt":  # Windows removes it by itself
                self._path.unlink(missing_ok=True)
        finally:
            self._lock.release()


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "?"
    except (OSError, ValueError):
        return "?"
