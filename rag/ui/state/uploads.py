"""Uploaded files of papers: read, shown before they are added, given a collection's name. No Gradio."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ReadError
from rag.readers import merge_duplicates, read_papers
from rag.text.escape import inert, shown
from rag.types import Paper, Rejected
from rag.ui.html.evidence import meta

_PAPERS_SHOWN = 6
_REJECTED_SHOWN = 50


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


def preview_html(upload: Upload) -> str:
    """How many papers, the first of them, and what was rejected with the reasons."""
    count = len(upload.papers)
    told = f"{count:,} paper{'' if count == 1 else 's'} read from {', '.join(upload.names)}"
    cards = "".join(
        f'<div class="cw-card"><div class="cw-title">{shown(paper.title)}{meta(paper)}</div>'
        f'<div class="cw-body cw-clamp">{shown(paper.abstract)}</div></div>'
        for paper in upload.papers[:_PAPERS_SHOWN]
    )
    left = count - _PAPERS_SHOWN
    more = f'<div class="cw-soft">and {left:,} more</div>' if left > 0 else ""
    return (
        f'<div class="cw-preview"><b>{inert(told)}</b>{_rejected(upload.rejected)}'
        f'<div class="cw-grid">{cards}</div>{more}</div>'
    )


def _rejected(rejected: Sequence[Rejected]) -> str:
    if not rejected:
        return '<div class="cw-soft">Nothing was rejected.</div>'
    rows = "".join(
        f'<div class="cw-item">{inert(row.origin)}, line {row.line}: {inert(row.reason)}</div>'
        for row in rejected[:_REJECTED_SHOWN]
    )
    left = len(rejected) - _REJECTED_SHOWN
    more = f'<div class="cw-soft">and {left:,} more</div>' if left > 0 else ""
    head = f"{len(rejected):,} row{'' if len(rejected) == 1 else 's'} rejected"
    return f'<details class="cw-more" open><summary>{head}</summary>{rows}{more}</details>'


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
