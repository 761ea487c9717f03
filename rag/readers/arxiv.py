"""arXiv: the Atom feed of its API, and the metadata snapshot with one JSON object a line.

Ids are arXiv's own without the version: a later version of a paper takes the place of the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from rag.readers import jsonl
from rag.readers.rows import paper_from
from rag.readers.source import Source
from rag.readers.xml import elements, text_of
from rag.types import Paper, Rejected

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_FEED = re.compile(r"<feed\b[^>]*http://www\.w3\.org/2005/Atom")
_ABSTRACT_PAGE = re.compile(r"^https?://arxiv\.org/abs/(.+?)(?:v\d+)?$")
_VERSION_YEAR = re.compile(r"\b(\d{4})\b")


def sniff_feed(source: Source) -> bool:
    """Whether the file begins as an Atom feed does."""
    return source.head_text.lstrip().startswith("<") and _FEED.search(source.head_text) is not None


def read_feed(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a feed.

    :raises ReadError: if the file cannot be read, or declares entities.
    """
    for found in elements(source, f"{_ATOM}entry"):
        if isinstance(found, Rejected):
            yield found
        else:
            line, entry = found
            yield paper_from(_row_of_entry(entry), origin=source.origin, line=line)


def sniff_snapshot(source: Source) -> bool:
    """Whether the file begins as the snapshot does."""
    return jsonl.sniff(source) and '"authors_parsed"' in source.head_text


def read_snapshot(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a snapshot.

    :raises ReadError: if the file cannot be read.
    """
    return jsonl.read(source, _row_of_object)


def _row_of_entry(entry: Element) -> dict[str, object]:
    page = text_of(entry.find(f"{_ATOM}id"))
    found = _ABSTRACT_PAGE.match(page)
    return {
        "id": found[1] if found else page,
        "title": text_of(entry.find(f"{_ATOM}title")),
        "abstract": text_of(entry.find(f"{_ATOM}summary")),
        "year": text_of(entry.find(f"{_ATOM}published")),
        "venue": text_of(entry.find(f"{_ARXIV}journal_ref")),
        "authors": [text_of(name) for name in entry.findall(f"{_ATOM}author/{_ATOM}name")],
        "url": f"https://arxiv.org/abs/{found[1]}" if found else page,
    }


def _row_of_object(given: Mapping[str, object]) -> Mapping[str, object]:
    """Authors by their parts (`authors` is one line of text), the year of the first version."""
    versions = given.get("versions")
    first = versions[0].get("created") if isinstance(versions, list) and versions else None
    year = _VERSION_YEAR.search(first) if isinstance(first, str) else None
    return {
        **given,
        "authors": list(_names(given.get("authors_parsed"))),
        "year": year[1] if year else given.get("update_date"),
        "url": f"https://arxiv.org/abs/{given.get('id')}",
        "abstract": _on_one_line(given.get("abstract")),
    }


def _names(parsed: object) -> Iterator[str]:
    for parts in parsed if isinstance(parsed, list) else ():
        if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
            last, first, *suffix = [*parts, "", ""][: max(len(parts), 2)]
            yield " ".join(part for part in (first, last, *suffix) if part)


def _on_one_line(text: object) -> object:
    """The snapshot breaks lines at 80 characters."""
    return " ".join(text.split()) if isinstance(text, str) else text
