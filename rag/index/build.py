"""A changed collection becomes a new generation of its index: diff, embed, write.

Only papers that are new or changed are embedded; everything else is carried over. One writer at a time.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import IndexBusy, IndexMissing, OutputError
from rag.index.bm25 import LexicalIndex, document_terms
from rag.index.carry_over import Embedding, as_stored, carried_over, split_anew, suited, texts_of
from rag.index.chunking import chunks_with_sentences
from rag.index.chunks import View
from rag.index.embedding import Embedder
from rag.index.manifest import FORMAT, Manifest, content_digest, write_manifest
from rag.index.paper_index import PaperIndex, open_index
from rag.index.papers_table import write_papers
from rag.index.vector_journal import discard
from rag.ports import Progress
from rag.settings import Settings
from rag.storage.generations import new_generation
from rag.storage.lock import ProcessLock
from rag.types import Paper, Rejected
from vectorstore.base import VectorStoreError

# Sentence vectors make retrieval sharper and cost eight vectors a paper; past this many papers the
# sentences of the papers found are embedded when a question is asked.
SENTENCE_VIEW_PAPERS_MAX = 5000


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingestion changed. `rejected` names every row that was skipped."""

    added: int
    updated: int
    removed: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    total: int


def ingest_papers(  # noqa: PLR0913 - what to do with a collection is one decision
    root: Path,
    papers: Sequence[Paper],
    embedder: Embedder,
    settings: Settings,
    *,
    remove: Sequence[str] = (),
    start_over: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Add, update and remove papers of one collection; the report's `rejected` is empty.

    :raises IndexBusy: if another process is writing this collection.
    :raises IndexMismatch: if the collection was embedded with another model.
    :raises OutputError: if the disk is full or refuses.
    """
    with _writing(root):
        current = None if start_over else _open_or_none(root, embedder)
        old = {paper.paper_id: paper for paper in current.all_papers()} if current else {}
        kept = {paper_id: paper for paper_id, paper in old.items() if paper_id not in set(remove)}
        incoming = {paper.paper_id: _with_old_origins(paper, old) for paper in papers}
        changed = [p for p in incoming.values() if kept.get(p.paper_id) != p]
        report = IngestReport(
            added=sum(p.paper_id not in old for p in changed),
            updated=sum(p.paper_id in old for p in changed),
            removed=len(old) - len(kept),
            unchanged=len(incoming) - len(changed),
            rejected=(),
            total=len(kept | incoming),
        )
        if current is None or changed or report.removed or current.manifest.is_outdated:
            everything = kept | incoming
            tools = _Tools(embedder, settings, progress)
            with _refusals_are_ours(root):
                _write(root, [everything[i] for i in sorted(everything)], changed, current, tools)
    return report


def _with_old_origins(paper: Paper, old: dict[str, Paper]) -> Paper:
    """The paper with the places it was read from before: reading a file again changes nothing."""
    known = old[paper.paper_id].origins if paper.paper_id in old else ()
    return dataclasses.replace(paper, origins=tuple(dict.fromkeys((*known, *paper.origins))))


def _open_or_none(root: Path, embedder: Embedder) -> PaperIndex | None:
    try:
        return open_index(
            root, embedding_checksum=embedder.checksum, embedding_model=embedder.name, outdated=True
        )
    except IndexMissing:
        return None


@dataclass(frozen=True, slots=True)
class _Tools:
    """What an index is made with."""

    embedder: Embedder
    settings: Settings
    progress: Progress | None


def _write(
    root: Path,
    papers: Sequence[Paper],
    changed: Sequence[Paper],
    current: PaperIndex | None,
    tools: _Tools,
) -> None:
    """A new generation: texts and vectors carried over, changed papers read and embedded, BM25 made again."""
    views = _views(current, len(papers))
    texts = texts_of(papers, changed, current)
    changed = [*changed, *split_anew(papers, changed, texts, current)]
    store = carried_over(current, {p.paper_id for p in papers}, {p.paper_id for p in changed})
    chunks = [chunk for paper in changed for chunk in chunks_with_sentences(paper, texts[paper.paper_id])]
    embed = Embedding(root, tools.embedder, tools.progress, sentences="sentence" in views)
    store = suited(embed.add(store, chunks))
    bm25 = {"k1": tools.settings.bm25_k1, "b": tools.settings.bm25_b}
    with new_generation(root) as folder:
        write_papers(folder, papers, as_stored(papers, texts, current))
        store.save(folder)
        (folder / "lexical").mkdir()
        LexicalIndex.build(_documents(current, papers, changed), **bm25).save(folder / "lexical")
        manifest = Manifest(
            format=FORMAT,
            papers=len(papers),
            vectors=len(store),
            dimension=store.dimension,
            embedding_model=tools.embedder.name,
            embedding_checksum=tools.embedder.checksum,
            views=views,
            bm25_k1=bm25["k1"],
            bm25_b=bm25["b"],
            content=content_digest(papers, tools.embedder.checksum, views),
            files={},
        )
        write_manifest(folder, manifest)
    discard(root)


def _documents(
    current: PaperIndex | None, papers: Sequence[Paper], changed: Sequence[Paper]
) -> list[tuple[str, list[str]]]:
    """The terms of every paper; of papers that stayed as they were, those indexed before."""
    known = current.lexical.document_terms() if current is not None else {}
    for paper in changed:
        known.pop(paper.paper_id, None)
    return [
        (p.paper_id, known[p.paper_id] if p.paper_id in known else document_terms(p.title, p.abstract))
        for p in papers
    ]


def _views(current: PaperIndex | None, papers: int) -> tuple[View, ...]:
    """The views of an existing index stay; a new one gets sentence vectors while it is small."""
    if current is not None:
        return current.manifest.views
    return ("abstract", "sentence") if papers <= SENTENCE_VIEW_PAPERS_MAX else ("abstract",)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process, whatever happens to it."""
    with _refusals_are_ours(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = ProcessLock(root / ".lock", lambda holder: _busy(root, holder))
    with closing(lock):
        yield


def _busy(root: Path, holder: str) -> IndexBusy:
    return IndexBusy(
        f"{root}: process {holder} is writing this collection",
        hint="Wait until it is done, then run the command again.",
    )


@contextmanager
def _refusals_are_ours(root: Path) -> Iterator[None]:
    """What a full or read-only disk makes the file system, SQLite and FAISS say, as one error."""
    try:
        yield
    except (OSError, sqlite3.Error, VectorStoreError) as exc:
        raise OutputError(
            f"{root}: the index could not be written ({exc})",
            hint="Make room on the disk, or set CITEWISE_CACHE_DIR; the old index is untouched.",
        ) from exc
