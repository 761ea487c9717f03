"""A collection on disk: papers, vectors, BM25 and a manifest, as one immutable generation at a time.

    <root>/CURRENT                 one line: the generation in use and the sha256 of its manifest
    <root>/gen-000007/             papers.sqlite  vectors.faiss  vectors.ids.json  lexical/  manifest.json

A generation is written beside the others, its manifest last, renamed, and only then named in CURRENT:
whenever a process is killed, a reader finds the old collection or the new one. `open` checks every
file against the manifest's sha256 before anything parses it (FAISS itself has no checksum); large files
that were checked before and have not changed since are not read again (`rag.storage.checksums`).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.bm25 import LexicalIndex
from rag.index.chunks import View
from rag.index.manifest import _REBUILD, Manifest, _check_file, _read_manifest, _verify
from rag.types import Paper
from vectorstore.base import VectorStore, VectorStoreError
from vectorstore.faiss_store import FaissStore

_COLUMNS = "paper_id, title, abstract, year, url, venue, authors, origins"


class PaperIndex:
    """An opened generation: read only, safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self.manifest = manifest
        self._connections = threading.local()

    @cached_property
    def store(self) -> VectorStore:
        """The vectors, read on first use.

        :raises IndexCorrupt: if FAISS refuses the file.
        """
        try:
            return FaissStore.load(
                self._folder, dimension=self.manifest.dimension, count=self.manifest.vectors
            )
        except VectorStoreError as exc:
            raise IndexCorrupt(f"{self._folder}: {exc}", hint=_REBUILD) from exc

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The BM25 index, read on first use."""
        return LexicalIndex.load(self._folder / "lexical")

    @property
    def fingerprint(self) -> str:
        """Identifies the content: which papers, which vectors, how they were made."""
        return self.manifest.content[:16]

    def __len__(self) -> int:
        return self.manifest.papers

    def papers(self, paper_ids: Sequence[str]) -> list[Paper]:
        """The papers of these ids, in this order; unknown ids are left out."""
        found = {}
        for start in range(0, len(paper_ids), 500):
            part = list(paper_ids[start : start + 500])
            marks = ",".join("?" * len(part))
            query = f"SELECT {_COLUMNS} FROM papers WHERE paper_id IN ({marks})"  # noqa: S608
            found.update({row[0]: _paper(row) for row in self._connection().execute(query, part)})
        return [found[paper_id] for paper_id in paper_ids if paper_id in found]

    @cached_property
    def _chunk_ids(self) -> list[str]:
        return sorted(self.store.ids())

    def chunk_ids(self, paper_id: str, view: View) -> list[str]:
        """The ids of a paper's vectors of one view, in the order of the text; none for unknown papers.

        As `rag.index.chunking` forms them, without reading or splitting the abstract again.
        """
        known, prefix = self._chunk_ids, f"{paper_id}#{view[0]}"
        starts: list[int] = []
        for place in range(bisect_left(known, prefix), len(known)):
            if not known[place].startswith(prefix):
                break
            start = known[place][len(prefix) :]
            if start.isdecimal():  # else it is of a paper whose id begins like this one's
                starts.append(int(start))
        return [f"{prefix}{start}" for start in sorted(starts)]

    def all_papers(self) -> Iterator[Paper]:
        """Every paper, by id."""
        rows = self._connection().execute(f"SELECT {_COLUMNS} FROM papers ORDER BY paper_id")  # noqa: S608
        return (_paper(row) for row in rows)

    def page(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        """The next papers by id behind `after`; only those whose title or abstract holds `words`."""
        query = f"SELECT {_COLUMNS} FROM papers WHERE paper_id > ?"  # noqa: S608
        if words:
            query += " AND instr(lower(title || char(10) || abstract), lower(?))"
        found = self._connection().execute(
            f"{query} ORDER BY paper_id LIMIT ?", (after, *([words] if words else []), limit)
        )
        return [_paper(row) for row in found]

    def _connection(self) -> sqlite3.Connection:
        """One read-only connection per thread."""
        if not hasattr(self._connections, "papers"):
            uri = f"file:{self._folder / 'papers.sqlite'}?mode=ro&immutable=1"
            self._connections.papers = sqlite3.connect(uri, uri=True)
        connection: sqlite3.Connection = self._connections.papers
        return connection


def open_index(
    root: Path, *, embedding_checksum: str | None = None, embedding_model: str = "another model"
) -> PaperIndex:
    """Open the current generation after checking every file.

    :raises IndexMissing: if there is none.
    :raises IndexCorrupt: if a file is missing or its sha256 differs from the manifest's.
    :raises IndexMismatch: if format or embedding model differ from what is asked for.
    """
    folder = _current(root)
    manifest = _read_manifest(folder)
    if embedding_checksum is not None and manifest.embedding_checksum != embedding_checksum:
        raise IndexMismatch(
            f"{root}: made with {manifest.embedding_model} "
            f"({manifest.embedding_checksum[:12]}), asked to search with {embedding_model} "
            f"({embedding_checksum[:12]})",
            hint=f"Use the same embedding model, or: {_REBUILD}",
        )
    _verify(folder, manifest)
    return PaperIndex(folder, manifest)


def _current(root: Path) -> Path:
    try:
        name, _, manifest_sha256 = (root / "CURRENT").read_text(encoding="utf-8").strip().partition(" ")
    except FileNotFoundError as exc:
        raise IndexMissing(f"{root}: no index here", hint="Make one: citewise ingest PATH") from exc
    except (OSError, ValueError) as exc:
        raise IndexCorrupt(f"{root / 'CURRENT'}: unreadable ({exc})", hint=_REBUILD) from exc
    if not name.startswith("gen-") or "/" in name or not (root / name).is_dir():
        raise IndexCorrupt(f"{root / 'CURRENT'}: names {name!r}, not a generation", hint=_REBUILD)
    _check_file(root / name / "manifest.json", manifest_sha256, root)
    return root / name


def write_papers(folder: Path, papers: Sequence[Paper]) -> None:
    """Write `papers.sqlite`, ordered by id."""
    connection = sqlite3.connect(folder / "papers.sqlite")
    with connection:
        connection.execute(
            "CREATE TABLE papers (paper_id TEXT PRIMARY KEY, title TEXT NOT NULL, abstract TEXT NOT"
            " NULL, year INTEGER, url TEXT, venue TEXT, authors TEXT NOT NULL, origins TEXT NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO papers VALUES (?,?,?,?,?,?,?,?)",
            (_row(paper) for paper in sorted(papers, key=lambda p: p.paper_id)),
        )
    connection.close()


def _row(paper: Paper) -> tuple[str | int | None, ...]:
    lists = json.dumps(paper.authors), json.dumps(paper.origins)
    return paper.paper_id, paper.title, paper.abstract, paper.year, paper.url, paper.venue, *lists


def _paper(row: tuple[str, str, str, int | None, str | None, str | None, str, str]) -> Paper:
    return Paper(*row[:6], authors=tuple(json.loads(row[6])), origins=tuple(json.loads(row[7])))
