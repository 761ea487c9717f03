"""A span made at ingestion, as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
