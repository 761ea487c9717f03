"""What a generation of the index holds and how it was made: written last, checked first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import IndexCorrupt, IndexMismatch
from rag.index.chunks import View
from rag.storage.checksums import remembered_sha256, sha256_of
from rag.types import Paper

FORMAT = 1
_REBUILD = "Build it again: citewise ingest --replace PATH (the default collection: remove its folder)"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and how it was made. Written last."""

    format: int
    papers: int
    vectors: int
    dimension: int
    embedding_model: str
    embedding_checksum: str
    views: tuple[View, ...]
    bm25_k1: float
    bm25_b: float
    content: str
    files: dict[str, str]


def _read_manifest(folder: Path) -> Manifest:
    path = folder / "manifest.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made = record["format"]
        if made == FORMAT:
            files = dict(record["files"].items())
            return Manifest(**{**record, "views": tuple(record["views"]), "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise IndexCorrupt(f"{path}: unreadable ({exc})", hint=_REBUILD) from exc
    raise IndexMismatch(f"{folder}: format {made}, this version reads {FORMAT}", hint=_REBUILD)


def _verify(folder: Path, manifest: Manifest) -> None:
    for name, expected in sorted(manifest.files.items()):
        _check_file(folder / name, expected, folder.parent)


def _check_file(path: Path, expected: str, memory: Path) -> None:
    try:
        actual = remembered_sha256(path, memory)
    except OSError as exc:
        raise IndexCorrupt(f"{path}: unreadable ({exc})", hint=_REBUILD) from exc
    if actual != expected:
        raise IndexCorrupt(
            f"{path}: sha256 is {actual[:16]}…, it was written with {expected[:16]}…", hint=_REBUILD
        )


def content_digest(papers: Sequence[Paper], embedding_checksum: str, views: Sequence[str]) -> str:
    """sha256 over every paper by id, the embedding model and the views."""
    digest = hashlib.sha256(json.dumps([FORMAT, embedding_checksum, list(views)]).encode())
    for paper in sorted(papers, key=lambda p: p.paper_id):
        digest.update(json.dumps(asdict(paper), sort_keys=True).encode())
    return digest.hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a filled folder, with the sha256 of every file in it."""
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    files = {name: sha256_of(folder / name) for name in names}
    record = {**asdict(manifest), "files": files}
    (folder / "manifest.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
