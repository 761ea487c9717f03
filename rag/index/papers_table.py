"""The papers of a generation in SQLite: as they came, and as they are read."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import IndexCorrupt
from rag.index.manifest import REBUILD
from rag.index.paper_text import from_json
from rag.types import Paper, PaperText

_FILE = "papers.sqlite"
_COLUMNS = "paper_id, title, abstract, year, url, venue, authors, origins"
_AT_ONCE = 500  # ids in one query


class PapersTable:
    """Read only, safe to use from several threads: each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._connections = threading.local()

    def papers(self, paper_ids: Sequence[str]) -> list[Paper]:
        """The papers of these ids, in this order; unknown ids are left out."""
        found = {row[0]: _paper(row) for row in self._of(_COLUMNS, paper_ids)}
        return [found[paper_id] for paper_id in paper_ids if paper_id in found]

    def texts(self, papers: Sequence[Paper]) -> list[PaperText | None]:
        """The papers as they are read; None of those that are not ours: another id, title or abstract.

        :raises IndexCorrupt: if what is stored is no text of a paper.
        """
        rows = self._of("paper_id, title, abstract, text", [paper.paper_id for paper in papers])
        stored = {tuple(own): text for *own, text in rows}
        found = [stored.get((paper.paper_id, paper.title, paper.abstract)) for paper in papers]
        try:
            return [None if text is None else from_json(text) for text in found]
        except (ValueError, TypeError) as exc:
            raise IndexCorrupt(f"{self._path}: the text of a paper is unreadable", hint=REBUILD) from exc

    def stored_texts(self, paper_ids: Sequence[str]) -> dict[str, str]:
        """The texts of these ids as they are stored, to be carried over; unknown ids are left out."""
        return dict(self._of("paper_id, text", paper_ids))

    def all(self) -> Iterator[Paper]:
        """Every paper, by id."""
        rows = self._connection().execute(f"SELECT {_COLUMNS} FROM papers ORDER BY paper_id")  # noqa: S608
        return (_paper(row) for row in rows)

    def page(self, after: str, limit: int, words: str) -> list[Paper]:
        """The next papers by id behind `after`; only those whose title or abstract holds `words`."""
        query = f"SELECT {_COLUMNS} FROM papers WHERE paper_id > ?"  # noqa: S608
        if words:
            query += " AND instr(lower(title || char(10) || abstract), lower(?))"
        found = self._connection().execute(
            f"{query} ORDER BY paper_id LIMIT ?", (after, *([words] if words else []), limit)
        )
        return [_paper(row) for row in found]

    def _of(self, columns: str, paper_ids: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(paper_ids), _AT_ONCE):
            part = list(paper_ids[start : start + _AT_ONCE])
            marks = ",".join("?" * len(part))
            query = f"SELECT {columns} FROM papers WHERE paper_id IN ({marks})"  # noqa: S608
            yield from self._connection().execute(query, part)

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._connections, "papers"):
            uri = f"file:{self._path}?mode=ro&immutable=1"
            self._connections.papers = sqlite3.connect(uri, uri=True)
        connection: sqlite3.Connection = self._connections.papers
        return connection


def write_papers(folder: Path, papers: Sequence[Paper], texts: Mapping[str, str]) -> None:
    """Write `papers.sqlite`, ordered by id. `texts`: of every paper as `to_json` stores it, by id."""
    connection = sqlite3.connect(folder / _FILE)
    with connection:
        connection.execute(
            "CREATE TABLE papers (paper_id TEXT PRIMARY KEY, title TEXT NOT NULL, abstract TEXT NOT NULL,"
            " year INTEGER, url TEXT, venue TEXT, authors TEXT NOT NULL, origins TEXT NOT NULL,"
            " text TEXT NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO papers VALUES (?,?,?,?,?,?,?,?,?)",
            (_row(paper, texts[paper.paper_id]) for paper in sorted(papers, key=lambda p: p.paper_id)),
        )
    connection.close()


def _row(paper: Paper, text: str) -> tuple[str | int | None, ...]:
    lists = json.dumps(paper.authors), json.dumps(paper.origins)
    own = paper.paper_id, paper.title, paper.abstract, paper.year, paper.url, paper.venue
    return *own, *lists, text


def _paper(row: tuple[str, str, str, int | None, str | None, str | None, str, str]) -> Paper:
    return Paper(*row[:6], authors=tuple(json.loads(row[6])), origins=tuple(json.loads(row[7])))
