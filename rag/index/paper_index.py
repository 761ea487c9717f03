"""A collection on disk: papers, vectors, BM25 and a manifest, as one immutable generation at a time.

    <root>/CURRENT                 one line: the generation in use and the sha256 of its manifest
    <root>/gen-000007/             papers.sqlite  vectors.faiss  vectors.ids.json  lexical/  manifest.json

A generation is written beside the others, its manifest last, renamed, and only then named in CURRENT:
whenever a process is killed, a reader finds the old collection or the new one. `open` checks every
file against the manifest's sha256 before anything parses it (FAISS itself has no checksum); large files
that were checked before and have not changed since are not read again (`rag.storage.checksums`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing, IndexOutdated
from rag.index.bm25 import LexicalIndex
from rag.index.chunks import View
from rag.index.manifest import FORMAT, REBUILD, Manifest, check_file, read_manifest, verify_files
from rag.index.paper_text import read_paper
from rag.index.papers_table import PapersTable
from rag.types import Paper, PaperText
from vectorstore.base import VectorStore, VectorStoreError
from vectorstore.faiss_store import FaissStore


class PaperIndex:
    """An opened generation: read only, safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self.manifest = manifest
        self._table = PapersTable(folder)

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
            raise IndexCorrupt(f"{self._folder}: {exc}", hint=REBUILD) from exc

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
        return self._table.papers(paper_ids)

    def texts(self, papers: Sequence[Paper]) -> list[PaperText]:
        """The papers as they are read, in their order.

        What a drop-in retriever brings from elsewhere, or under an id of ours with another abstract, is read
        now; all else was at ingestion.
        """
        stored = zip(papers, self._table.texts(papers), strict=True)
        return [read_paper(paper) if text is None else text for paper, text in stored]

    def stored_texts(self, paper_ids: Sequence[str]) -> dict[str, str]:
        """The texts of papers as they are stored, by id, to be carried over into another generation."""
        return self._table.stored_texts(paper_ids)

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

    def check_foreign(self, paper: Paper) -> None:
        """Nothing, where the paper is not one of ours, so that its vectors cannot be here.

        :raises IndexCorrupt: if it is one of ours.
        """
        if self._table.texts([paper]) != [None]:
            raise IndexCorrupt(f"{self._folder}: sentences of {paper.paper_id} have no vectors", hint=REBUILD)

    def all_papers(self) -> Iterator[Paper]:
        """Every paper, by id."""
        return self._table.all()

    def page(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        """The next papers by id behind `after`; only those whose title or abstract holds `words`."""
        return self._table.page(after, limit, words)


def open_index(
    root: Path,
    *,
    embedding_checksum: str | None = None,
    embedding_model: str = "another model",
    outdated: bool = False,
) -> PaperIndex:
    """Open the current generation after checking every file.

    :param outdated: also one of the format before, of which the texts of papers cannot be asked.
    :raises IndexMissing: if there is none.
    :raises IndexCorrupt: if a file is missing or its sha256 differs from the manifest's.
    :raises IndexMismatch: if format or embedding model differ from what is asked for.
    :raises IndexOutdated: if it is of the format before, and `outdated` is not given.
    """
    folder = _current(root)
    manifest = read_manifest(folder)
    if embedding_checksum is not None and manifest.embedding_checksum != embedding_checksum:
        raise IndexMismatch(
            f"{root}: made with {manifest.embedding_model} "
            f"({manifest.embedding_checksum[:12]}), asked to search with {embedding_model} "
            f"({embedding_checksum[:12]})",
            hint=f"Use the same embedding model, or: {REBUILD}",
        )
    if manifest.is_outdated and not outdated:
        raise IndexOutdated(
            f"{root}: format {manifest.format}, this version reads {FORMAT}",
            hint="Ask something of it, or ingest into it: it is made anew, its papers and vectors are kept.",
        )
    verify_files(folder, manifest)
    return PaperIndex(folder, manifest)


def _current(root: Path) -> Path:
    try:
        name, _, manifest_sha256 = (root / "CURRENT").read_text(encoding="utf-8").strip().partition(" ")
    except FileNotFoundError as exc:
        raise IndexMissing(f"{root}: no index here", hint="Make one: citewise ingest PATH") from exc
    except (OSError, ValueError) as exc:
        raise IndexCorrupt(f"{root / 'CURRENT'}: unreadable ({exc})", hint=REBUILD) from exc
    if not name.startswith("gen-") or "/" in name or not (root / name).is_dir():
        raise IndexCorrupt(f"{root / 'CURRENT'}: names {name!r}, not a generation", hint=REBUILD)
    check_file(root / name / "manifest.json", manifest_sha256, root)
    return root / name
