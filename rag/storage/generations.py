"""Folders that appear whole or not at all: the crash-safe half of `rag.index.paper_index`.

Knows nothing of what a generation holds. Files are synced before a rename makes them visible.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.storage.atomic import sync, whole_folder, write_whole
from rag.storage.checksums import sha256_of


@contextmanager
def new_generation(root: Path) -> Iterator[Path]:
    """A folder to fill; on success it becomes the current generation, on failure it vanishes.

    The caller writes `manifest.json` last; its sha256 goes into CURRENT beside the name. The generation
    that was current before is kept: readers may still hold it.
    """
    root.mkdir(parents=True, exist_ok=True)
    before = current_name(root)
    name = f"gen-{_last_number(root) + 1:06d}"
    try:
        with whole_folder(root / name, synced=True) as partial:
            yield partial
        named = f"{name} {sha256_of(root / name / 'manifest.json')}\n"
        write_whole(root / "CURRENT", named, synced=True)
        sync(root)
    except BaseException:
        if current_name(root) == before:  # renamed, but not yet named in CURRENT
            shutil.rmtree(root / name, ignore_errors=True)
        raise
    _drop_others(root, keep={name, before})


def current_name(root: Path) -> str | None:
    """The name of the generation in use, as CURRENT has it; None when there is none."""
    try:
        return (root / "CURRENT").read_text(encoding="utf-8").partition(" ")[0].strip()
    except (OSError, ValueError):
        return None


def _last_number(root: Path) -> int:
    numbers = [int(p.name[4:]) for p in root.glob("gen-*") if p.name[4:].isdigit()]
    return max(numbers, default=0)


def _drop_others(root: Path, *, keep: set[str | None]) -> None:
    """Remove every other generation and what killed writers left."""
    for folder in [*root.glob("gen-*"), *root.glob(".new-*")]:
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
