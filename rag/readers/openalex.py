"""OpenAlex works: a page of its API, a list, or one work a line. Abstracts come as inverted indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rag.readers import jsonl
from rag.readers.source import Source
from rag.types import Paper, Rejected

WORDS_MAX = 100_000
_WORK = re.compile(r'"id"\s*:\s*"https://openalex\.org/W\d|"abstract_inverted_index"\s*:')
_RESULTS = re.compile(r'"results"\s*:\s*\[')


def sniff(source: Source) -> bool:
    """Whether the file begins with works of OpenAlex."""
    return jsonl.sniff(source) and _WORK.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a file; ids are OpenAlex's (`W2741809807`).

    :raises ReadError: if the file cannot be read.
    """
    page = source.head_text.lstrip().startswith("{") and _RESULTS.search(source.head_text)
    return jsonl.read(source, _row, array=_RESULTS if page else None)


def _row(work: Mapping[str, object]) -> Mapping[str, object]:
    source = _inner(_inner(work, "primary_location"), "source")
    name = work.get("id")
    return {
        "id": name.rpartition("/")[2] if isinstance(name, str) else None,
        "title": work.get("title") or work.get("display_name"),
        "abstract": abstract_of(work.get("abstract_inverted_index")),
        "year": work.get("publication_year"),
        "venue": source.get("display_name"),
        "authors": [
            _inner(each, "author").get("display_name")
            for each in _list(work.get("authorships"))
            if isinstance(each, Mapping)
        ],
        "url": work.get("doi") or name,
    }


def abstract_of(index: object) -> str | None:
    """The text of an inverted index: each word at the places it names."""
    if not isinstance(index, Mapping):
        return None
    places = [
        (place, str(word))
        for word, found in index.items()
        for place in _list(found)
        if isinstance(place, int) and 0 <= place < WORDS_MAX
    ]
    return " ".join(word for _, word in sorted(places)) or None


def _inner(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = record.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
