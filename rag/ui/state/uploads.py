"""Uploaded files of papers: read before they are added, given a collection's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ReadError
from rag.readers import merge_duplicates, read_papers
from rag.types import Paper, Rejected


@dataclass(frozen=True, slots=True)
class Upload:
    """What was read of some files: papers, duplicates merged, and every row that is none."""

    names: tuple[str, ...]
    papers: tuple[Paper, ...]
    rejected: tuple[Rejected, ...]


def read_upload(paths: Sequence[Path]) -> Upload:
    """Read files one by one; one that cannot be read costs the others nothing."""
    papers: list[Paper] = []
    rejected: list[Rejected] = []
    for path in paths:
        try:
            papers.extend(read_papers(path, rejected))
        except ReadError as exc:
            told = f"{exc.message} {exc.hint}".replace(str(path), path.name)
            rejected.append(Rejected(path.name, 1, told))
    names = tuple(path.name for path in paths)
    return Upload(names, tuple(merge_duplicates(papers)), tuple(rejected))


def typed_name(text: str | None) -> str:
    """A name as somebody typed it: spaces become hyphens.

    >>> typed_name(" my papers ")
    'my-papers'
    """
    return "-".join((text or "").split())


def collection_name(names: Sequence[str]) -> str:
    """A name for what these files hold: the first one's, as letters, digits and hyphens."""
    stem = Path(names[0]).name.split(".")[0] if names else ""
    slug = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-")[:40]
    return slug if slug and slug != "default" and not slug.startswith("papers-") else "my-papers"
