"""Papers that look right and are not: what the product's own embedder puts near a question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.written.questions import read_lines
from rag.index.query_encoder import QueryEncoder
from rag.ingest import corpus_files, open_embedder, read_collection
from rag.settings import Settings
from rag.text.sentences import sentence_spans
from training.examples import Abstract, Example

FOREIGN_PAPERS = 1500
RANKS = 12
# The title and the first sentences tell what a paper is about.
PAPER_CHARS = 600


def pool_of(data: Path, chosen: Sequence[Example]) -> list[Abstract]:
    """The papers of the examples and some of the 42 thousand; none of the shipped corpus."""
    found = {paper.id: paper for example in chosen for paper in example.papers}
    shipped = {paper.title.casefold() for paper in read_collection(corpus_files(), None)[0]}
    rows = list(read_lines(data / "abstracts_42k.jsonl.gz"))
    for row in rows[:: max(1, len(rows) // FOREIGN_PAPERS)]:
        if row["title"].casefold() not in shipped and row["id"] not in found:
            text = row["abstract"]
            sentences = tuple(text[start:end] for start, end in sentence_spans(text))
            found[row["id"]] = Abstract(row["id"], row["title"], sentences)
    return list(found.values())


def nearest(questions: Sequence[str], pool: Sequence[Abstract], settings: Settings) -> list[list[int]]:
    """Per question the places in the pool of its RANKS nearest papers, best first."""
    papers = vectors([f"{paper.title}. {paper.text}"[:PAPER_CHARS] for paper in pool], settings)
    asked = vectors(questions, settings)
    return best_places(asked @ papers.T, RANKS)


def best_places(likeness: NDArray[np.float32], count: int) -> list[list[int]]:
    """Per row the columns of its `count` largest values, largest first; ties in order."""
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    return [[int(place) for place in row] for row in order]


def vectors(texts: Sequence[str], settings: Settings) -> NDArray[np.float32]:
    """Unit vectors, kept in the cache for the next run."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    kept = settings.cache_dir / "training" / f"vectors-{digest}.npy"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        encoder = QueryEncoder(open_embedder(settings).model)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows = encoder.passages([texts[i] for i in order])
        np.save(kept, rows[np.argsort(order)])
    found: NDArray[np.float32] = np.load(kept)
    return found


def plain_tokens(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token numbers of each text, without special tokens, uncut."""
    return list(tokenizer(list(texts), add_special_tokens=False, truncation=False)["input_ids"])
