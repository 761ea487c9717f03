"""A span made at ingestion, as it is read, and how it is named: `<paper_id>#<view initial><start>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.types import PaperText

View = Literal["abstract", "sentence"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span made at ingestion, as it is read: `title` and `body`. Only `[start, end)` is quoted."""

    chunk_id: str
    paper_id: str
    view: View
    title: str
    body: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """What is embedded where the span stands by itself."""
        return f"{self.title}. {self.body}"


def chunk_id(paper_id: str, view: View, start: int) -> str:
    """The id under which the vector of a span is stored."""
    return f"{paper_id}#{view[0]}{start}"


def sentence_ids(paper_id: str, text: PaperText) -> list[str]:
    """The ids of the sentences of a paper, in the order of its text."""
    return [chunk_id(paper_id, "sentence", sentence.start) for sentence in text.sentences]


def paper_id_of(chunk_id: str) -> str:
    """The paper a chunk id belongs to."""
    return chunk_id.rpartition("#")[0]
