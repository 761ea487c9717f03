"""Where the last report of `citewise eval` lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FOLDER, _FILE = "citewise-eval", "report.html"


def last_report(folders: Sequence[Path]) -> Path | None:
    """The newest report below one of these folders."""
    found = [path for folder in folders if (path := folder / _FOLDER / _FILE).is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)
