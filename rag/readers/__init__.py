"""Files of papers in, papers out: `read_papers` picks a reader by content and gathers bad rows.

`FORMATS` is the whole list of what can be read; a new format is one more file and one more line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ReadError
from rag.readers import (
    arxiv,
    bibtex,
    csl,
    jsonl,
    listing,
    nbib,
    openalex,
    parquet,
    plaintext,
    pubmed,
    ris,
    table,
)
from rag.readers.duplicates import merge_duplicates
from rag.readers.source import Source, open_source
from rag.types import Paper, Rejected

__all__ = ["FORMATS", "Format", "merge_duplicates", "read_papers"]


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is called, known and read. `read` yields a rejection where a row is no paper."""

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source], Iterator[Paper | Rejected]]


# The first whose `sniff` says yes reads the file; the suffix only decides when none does.
FORMATS: tuple[Format, ...] = (
    Format("Parquet", (".parquet", ".pq"), parquet.sniff, parquet.read),
    Format("OpenAlex", (), openalex.sniff, openalex.read),
    Format("arXiv metadata", (), arxiv.sniff_snapshot, arxiv.read_snapshot),
    Format("CSL-JSON", (), csl.sniff, csl.read),
    Format("JSONL or JSON", (".jsonl", ".ndjson", ".json"), jsonl.sniff, jsonl.read),
    Format("PubMed XML", (".xml",), pubmed.sniff, pubmed.read),
    Format("arXiv Atom", (".atom",), arxiv.sniff_feed, arxiv.read_feed),
    Format("RIS", (".ris",), ris.sniff, ris.read),
    Format("PubMed nbib", (".nbib",), nbib.sniff, nbib.read),
    Format("BibTeX", (".bib", ".bibtex"), bibtex.sniff, bibtex.read),
    Format("CSV or TSV", (".csv", ".tsv", ".tab"), table.sniff, table.read),
    Format("listing page", (".txt", ".text"), listing.sniff, listing.read),
    Format("plain text", (".txt", ".text"), plaintext.sniff, plaintext.read),
)
_KNOWN_SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
# First bytes of what people try to read, and what to do with it instead.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "Export title and abstract to BibTeX, CSV or JSONL."),
    (b"PK\x03\x04", "a zip archive or an Excel sheet", "Unpack it, or save the sheet as CSV."),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
    (b"SQLite format 3", "an SQLite database", "Export the papers to CSV or JSONL."),
)
# Above this share of control characters and broken UTF-8, a file is no text.
JUNK_MAX = 0.1


def read_papers(path: Path, rejected: list[Rejected]) -> Iterator[Paper]:
    """The papers of a file, or of every readable file below a folder, in sorted order.

    Rows that are no papers are appended to `rejected` as they are met, and so is, in a folder, a
    file that cannot be read. Duplicates are kept: see `merge_duplicates`. An origin is the file's
    name, below a folder its path from there.

    :raises ReadError: at once if the path is missing, empty, of no known format, or a folder with
        nothing to read; while reading if the file turns out to be damaged.
    """
    if path.is_dir():
        return _from_folder(path, rejected)
    source = open_source(path, path.name)
    return _from_source(source, _format_of(source), rejected)


def _from_folder(folder: Path, rejected: list[Rejected]) -> Iterator[Paper]:
    chosen: list[tuple[Source, Format]] = []
    faults: list[ReadError] = []
    for path in _files_below(folder):
        origin = path.relative_to(folder).as_posix()
        try:
            source = open_source(path, origin)
            chosen.append((source, _format_of(source)))
        except ReadError as exc:
            faults.append(exc)
            rejected.append(Rejected(origin, 1, exc.message))
    if not chosen:
        detail = f" {faults[0].message}" if faults else ""
        raise ReadError(f"The folder {folder} holds no file of papers.{detail}", hint=_formats_hint())
    return _from_sources(chosen, rejected)


def _from_sources(chosen: list[tuple[Source, Format]], rejected: list[Rejected]) -> Iterator[Paper]:
    for source, known in chosen:
        try:
            yield from _from_source(source, known, rejected)
        except ReadError as exc:
            rejected.append(Rejected(source.origin, 1, exc.message))


def _from_source(source: Source, known: Format, rejected: list[Rejected]) -> Iterator[Paper]:
    for found in known.read(source):
        if isinstance(found, Rejected):
            rejected.append(found)
        else:
            yield found


def _files_below(folder: Path) -> Iterator[Path]:
    """Files with a known suffix below a folder, sorted; neither hidden ones nor READMEs."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if _may_hold_papers(name)]
    return iter(sorted(path for path in found if path.is_file()))


def _may_hold_papers(name: str) -> bool:
    lowered = name.lower()
    if lowered.startswith((".", "readme")):
        return False
    return Path(lowered.removesuffix(".gz")).suffix in _KNOWN_SUFFIXES


def _format_of(source: Source) -> Format:
    """The format of a file, by its first bytes and then by its name."""
    for magic, what, hint in _FOREIGN:
        if source.head.startswith(magic):
            raise ReadError(f"{source.path} is {what}, not a file of papers.", hint=hint)
    if not parquet.sniff(source) and _is_junk(source.head):
        raise ReadError(
            f"{source.path} is neither text in UTF-8 nor Parquet.",
            hint=f"If it is text, save it as UTF-8. {_formats_hint()}",
        )
    for known in FORMATS:
        if known.sniff(source):
            return known
    for known in FORMATS:
        if source.suffix in known.suffixes:
            return known
    raise ReadError(f"{source.path} is of no known format.", hint=_formats_hint())


def _is_junk(head: bytes) -> bool:
    text = head.decode("utf-8", errors="replace")
    strange = sum(char == "\ufffd" or (char < " " and char not in "\t\n\r\f") for char in text)
    return strange > JUNK_MAX * len(text)


def _formats_hint() -> str:
    return f"Readable are: {', '.join(known.name for known in FORMATS)}; also as .gz."
