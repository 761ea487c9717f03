"""The written sets, row by row: those of a folder, and what was written since (`training/items`).

The folder and `training/items` use the same file names and the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.written.questions import read_lines

ITEMS = Path(__file__).parent / "items"


def rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    """All rows of the set `name`, without its ending.

    :raises ReadError: if the folder lacks it, or a file is damaged.
    """
    file = f"{name}.jsonl.gz"
    yield from read_lines(data / file)
    if (ITEMS / file).is_file():
        yield from read_lines(ITEMS / file)
