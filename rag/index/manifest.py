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

FORMAT = 2  # 2: sentences are stored with their paper
_OLDER = 1  # can be read, to be made anew without embedding
_DIGESTED_AS = 1  # what the content is does not depend on how it is stored
REBUILD = "Build it again: citewise ingest --replace PATH (the default collection: remove its folder)"


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

    @property
    def is_outdated(self) -> bool:
        """Whether it is of the format before, which holds no texts of papers."""
        return self.format != FORMAT


def read_manifest(folder: Path) -> Manifest:
    """The manifest of this format or the one before.

    :raises IndexCorrupt: if it is damaged.
    :raises IndexMismatch: if it is of another format.
    """
    path = folder / "manifest.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made = record["format"]
        if made in {_OLDER, FORMAT}:
            files = dict(record["files"].items())
            return Manifest(**{**record, "views": tuple(record["views"]), "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise IndexCorrupt(f"{path}: unreadable ({exc})", hint=REBUILD) from exc
    raise IndexMismatch(f"{folder}: format {made}, this version reads {FORMAT}", hint=REBUILD)


def verify_files(folder: Path, manifest: Manifest) -> None:
    """:raises IndexCorrupt: if a file is missing or its sha256 differs from the manifest's."""
    for name, expected in sorted(manifest.files.items()):
        check_file(folder / name, expected, folder.parent)


def check_file(path: Path, expected: str, memory: Path) -> None:
    """Checked before and unchanged since, it is not read again: `memory` is the folder that remembers.

    :raises IndexCorrupt: if it is missing or its sha256 is another.
    """
    try:
        actual = remembered_sha256(path, memory)
    except OSError as exc:
        raise IndexCorrupt(f"{path}: unreadable ({exc})", hint=REBUILD) from exc
    if actual != expected:
        raise IndexCorrupt(
            f"{path}: sha256 is {actual[:16]}…, it was written with {expected[:16]}…", hint=REBUILD
        )


def content_digest(papers: Sequence[Paper], embedding_checksum: str, views: Sequence[str]) -> str:
    """sha256 over every paper by id, the embedding model and the views."""
    digest = hashlib.sha256(json.dumps([_DIGESTED_AS, embedding_checksum, list(views)]).encode())
    for paper in sorted(papers, key=lambda p: p.paper_id):
        digest.update(json.dumps(asdict(paper), sort_keys=True).encode())
    return digest.hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a filled folder, with the sha256 of every file in it."""
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    files = {name: sha256_of(folder / name) for name in names}
    record = {**asdict(manifest), "files": files}
    (folder / "manifest.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
