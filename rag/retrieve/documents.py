"""Passages as LangChain's documents, and back."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.documents import Document

from rag.types import Paper, Passage


def document_of(passage: Passage) -> Document:
    """A passage as LangChain's document: the abstract, with id, title, rank and score."""
    paper = passage.paper
    return Document(
        id=paper.paper_id,
        page_content=paper.abstract,
        metadata={
            "paper_id": paper.paper_id,
            "title": paper.title,
            "year": paper.year,
            "url": paper.url,
            "rank": passage.rank,
            "score": passage.score,
        },
    )


def passages_from(documents: Sequence[Document]) -> list[Passage]:
    """Documents of any LangChain retriever as passages; title and id fall back to what there is."""
    found = []
    for rank, document in enumerate(documents, start=1):
        known = document.metadata
        title = str(known.get("title") or known.get("source") or f"Document {rank}")
        paper = Paper(
            paper_id=str(known.get("paper_id") or document.id or f"document-{rank}"),
            title=title,
            abstract=document.page_content,
            year=known.get("year"),
            url=known.get("url"),
        )
        found.append(Passage(paper, rank, float(known.get("score") or 1.0 / rank)))
    return found
