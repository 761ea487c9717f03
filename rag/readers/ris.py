"""RIS, as reference managers and publishers export it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.readers.source import Source
from rag.readers.tagged import TaggedRecord, given_name_first, papers
from rag.types import Paper, Rejected

_START = re.compile(r"^TY  -", re.MULTILINE)
_TAGGED = re.compile(r"([A-Z][A-Z0-9])  -(?: (.*))?$")


def sniff(source: Source) -> bool:
    """Whether a record starts on some line of the file's beginning."""
    return _START.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a RIS file.

    :raises ReadError: if the file cannot be read.
    """
    return papers(source, _TAGGED, "TY", _row)


def _row(record: TaggedRecord) -> dict[str, object]:
    return {
        "title": record.first("TI", "T1", "CT"),
        "abstract": record.first("AB", "N2"),
        "year": record.first("PY", "Y1", "DA"),
        "venue": record.first("JO", "JF", "T2", "BT", "JA"),
        "authors": [given_name_first(name) for name in record.all("AU", "A1")],
        "url": record.first("UR", "L2"),
        "doi": record.first("DO"),
        "citation_key": record.first("ID"),
    }
