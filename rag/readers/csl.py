"""CSL-JSON: what Zotero and citation processors write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rag.readers import jsonl
from rag.readers.source import Source
from rag.types import Paper, Rejected

_MARKS = re.compile(
    r'"(?:date-parts|container-title|title-short|citation-key)"\s*:'
    r'|"type"\s*:\s*"(?:article-journal|paper-conference|article-magazine|chapter)"'
)


def sniff(source: Source) -> bool:
    """Whether the file begins as a list of CSL items does."""
    return jsonl.sniff(source) and _MARKS.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a file.

    :raises ReadError: if the file cannot be read.
    """
    return jsonl.read(source, _row)


def _row(item: Mapping[str, object]) -> Mapping[str, object]:
    authors = item.get("author")
    return {
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "year": _year(item.get("issued")),
        "venue": item.get("container-title"),
        "authors": [_name(each) for each in authors] if isinstance(authors, list) else [],
        "url": item.get("URL"),
        "doi": item.get("DOI"),
        "citation_key": item.get("citation-key") or item.get("id"),
    }


def _year(issued: object) -> object:
    """The year of `{"date-parts": [[2020, 5]]}`, or of a date in words."""
    if not isinstance(issued, Mapping):
        return issued
    parts = issued.get("date-parts")
    try:
        return parts[0][0]  # type: ignore[index]
    except (TypeError, IndexError, KeyError):
        return issued.get("raw") or issued.get("literal")


def _name(author: object) -> object:
    if not isinstance(author, Mapping):
        return author
    parts = [author.get(part) for part in ("given", "non-dropping-particle", "family", "suffix")]
    return " ".join(str(part) for part in parts if part) or author.get("literal")
