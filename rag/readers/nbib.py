"""PubMed's text format (`.nbib`, MEDLINE): what its `Save` and `Send to: Citation manager` write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.readers.source import Source
from rag.readers.tagged import TaggedRecord, given_name_first, papers
from rag.types import Paper, Rejected

_START = re.compile(r"^PMID- *\d", re.MULTILINE)
_TAGGED = re.compile(r"([A-Z][A-Z0-9 ]{3})-(?: (.*))?$")
_PUBMED = "https://pubmed.ncbi.nlm.nih.gov/"


def sniff(source: Source) -> bool:
    """Whether a record starts on some line of the file's beginning."""
    return _START.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a file; ids are `pmid:` and the number.

    :raises ReadError: if the file cannot be read.
    """
    return papers(source, _TAGGED, "PMID", _row)


def _row(record: TaggedRecord) -> dict[str, object]:
    number = record.first("PMID")
    return {
        "id": f"pmid:{number}",
        "title": record.first("TI", "BTI"),
        "abstract": record.first("AB", "OAB"),
        "year": record.first("DP"),
        "venue": record.first("JT", "TA"),
        "authors": [given_name_first(name) for name in record.all("FAU", "AU", "CN")],
        "url": f"{_PUBMED}{number}/",
    }
