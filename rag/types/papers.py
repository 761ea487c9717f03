"""Papers and their parts. Character offsets always point into the *stored* abstract, half open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Paper:
    """One title + abstract + metadata, stored as it came. `origins` names every place it was read from."""

    paper_id: str
    title: str
    abstract: str
    year: int | None = None
    url: str | None = None
    venue: str | None = None
    authors: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Title and abstract as one text, to look for words in."""
        return f"{self.title} {self.abstract}"


@dataclass(frozen=True, slots=True)
class SentenceText:
    """A sentence of an abstract as it is read: characters `[start, end)`, their text without blemishes."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class PaperText:
    """A paper as people and models read it: split and cleaned once, at ingestion."""

    title: str
    sentences: tuple[SentenceText, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not become a paper: where it stands (1-based line) and why it was skipped."""

    origin: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A paper as retrieved: rank (1-based) and score, best first. Higher scores are better."""

    paper: Paper
    rank: int
    score: float

    def to_dict(self) -> dict[str, Any]:
        """A paper as found, as JSON."""
        return {**self.brief(), "url": self.paper.url, "year": self.paper.year}

    def brief(self) -> dict[str, Any]:
        """The same as an answer tells it, without where the paper lies."""
        return {
            "paper_id": self.paper.paper_id,
            "title": self.paper.title,
            "rank": self.rank,
            "score": round(self.score, 6),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence chosen to be shown to the model. `key` is the paper's [n]; `score` is 0..1."""

    key: int
    paper: Paper
    start: int
    end: int
    score: float

    @property
    def text(self) -> str:
        """The sentence verbatim, as stored."""
        return self.paper.abstract[self.start : self.end]
