"""Texts into unit vectors, each computed once: what a journal knows is not computed again."""

from __future__ import annotations

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.journal import VectorJournal
from rag.models.vectors import unit_rows


def embedded(texts: list[str], model: Embeddings, journal: VectorJournal | None) -> NDArray[np.float32]:
    """Shape (texts, dimension); what the journal knows is not computed again."""
    if journal is None:
        return unit_rows(model.embed_documents(texts))
    new = [text for text in dict.fromkeys(texts) if journal.row(text) is None]
    fresh: dict[str, NDArray[np.float32]] = {}
    if new:
        rows = unit_rows(model.embed_documents(new))
        journal.keep(new, rows)
        fresh = dict(zip(new, rows, strict=True))
    return np.stack([fresh[text] if text in fresh else _known(journal, text) for text in texts])


def _known(journal: VectorJournal, text: str) -> NDArray[np.float32]:
    row = journal.row(text)
    assert row is not None
    return np.asarray(row, dtype=np.float32)
