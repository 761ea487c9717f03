"""FLOW 2, ingestion: files -> papers -> texts -> chunks -> vectors and BM25 -> a new generation.

Nothing that was indexed is lost when a file turns out to be bad: the old generation stays until the new
one is whole (`rag.index.build`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rag.errors import ReadError
from rag.index.build import IngestReport, ingest_papers
from rag.index.embedding import Embedder
from rag.models.delta import merged
from rag.models.embedder import load_embedder
from rag.models.weights import resolve
from rag.ports import Progress
from rag.readers import merge_duplicates, read_papers
from rag.settings import Settings
from rag.types import Paper, Rejected


def corpus_files() -> list[Path]:
    """The listing pages of the default corpus, which ships."""
    return sorted((Path(__file__).parent / "data" / "corpus").glob("*.txt"))


def collection_root(settings: Settings, collection: str) -> Path:
    """Where a collection's index lies.

    :raises ReadError: if the name could be a path.
    """
    allowed = all(c.isalnum() or c in "-_." for c in collection)
    if not allowed or not collection.strip(".") or ".." in collection:
        raise ReadError(f"collection name {collection!r}", hint="Use letters, digits, '-', '_' and '.' only.")
    return settings.cache_dir / "index" / collection


def open_embedder(settings: Settings) -> Embedder:
    """The embedder of these settings, with its identity.

    :raises ModelMissing: if its weights are not on this machine.
    :raises ModelCorrupt: if they differ from the published ones.
    """
    found = merged(resolve(settings.embedding_model, settings), settings.cache_dir)
    model = load_embedder(found, settings)
    return Embedder(model, settings.embedding_model, found.checksum)


def ingest(
    paths: Sequence[Path],
    *,
    collection: str,
    settings: Settings,
    remove: Sequence[str] = (),
    replace: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Read files and folders into a collection; `replace` starts over instead of adding.

    :raises ReadError: if a file cannot be read at all; the collection stays as it was.
    :raises IndexBusy: if another process is writing this collection.
    """
    papers, rejected = read_collection(paths, progress)
    report = ingest_papers(
        collection_root(settings, collection),
        papers,
        open_embedder(settings),
        settings,
        remove=remove,
        start_over=replace,
        progress=progress,
    )
    return dataclasses.replace(report, rejected=rejected)


def read_collection(
    paths: Sequence[Path], progress: Progress | None = None
) -> tuple[list[Paper], tuple[Rejected, ...]]:
    """Every paper of these files and folders, duplicates merged, with the rows that were rejected.

    :raises ReadError: if a file cannot be read at all, or no paper was found.
    """
    rejected: list[Rejected] = []
    papers: list[Paper] = []
    for path in paths:
        for paper in read_papers(path, rejected):
            papers.append(paper)
            if progress and len(papers) % 500 == 0:
                progress("reading", len(papers), 0)
    if not papers and paths:
        first = f" (first: line {rejected[0].line}: {rejected[0].reason})" if rejected else ""
        raise ReadError(
            f"no paper found in {', '.join(str(path) for path in paths)}{first}",
            hint="Each paper needs a title and an abstract; see README, 'Your own papers'.",
        )
    return list(merge_duplicates(papers)), tuple(rejected)
