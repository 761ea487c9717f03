"""Records of tagged lines, as RIS and MEDLINE write them: `TI  - A title`, and lines that go on.

A record begins at the line of a given tag and ends before the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rag.readers.rows import paper_from
from rag.readers.source import Source, is_utf8
from rag.types import Paper, Rejected


@dataclass(slots=True)
class TaggedRecord:
    """The values of each tag in their order; `line` is where the record begins."""

    line: int
    values: dict[str, list[str]] = field(default_factory=dict)

    def all(self, *tags: str) -> list[str]:
        """The values of the first of these tags that has any."""
        return next((self.values[tag] for tag in tags if self.values.get(tag)), [])

    def first(self, *tags: str) -> str | None:
        """The first of them."""
        return next(iter(self.all(*tags)), None)


def papers(
    source: Source,
    tagged: re.Pattern[str],
    start: str,
    row_of: Callable[[TaggedRecord], Mapping[str, object]],
) -> Iterator[Paper | Rejected]:
    """The papers of a file: `records`, each made a paper of the row that `row_of` gives.

    :raises ReadError: if the file cannot be read.
    """
    for found in records(source, tagged, start):
        if isinstance(found, Rejected):
            yield found
        else:
            yield paper_from(row_of(found), origin=source.origin, line=found.line)


def records(source: Source, tagged: re.Pattern[str], start: str) -> Iterator[TaggedRecord | Rejected]:
    """The records of a file; `tagged` matches a line with a tag (1) and its value (2).

    :raises ReadError: if the file cannot be read.
    """
    record: TaggedRecord | None = None
    tag, valid = "", True
    for number, line in enumerate(source.lines(), start=1):
        found = tagged.match(line.rstrip("\r\n"))
        if found and found[1].strip() == start:
            yield from _told(record, source, valid=valid)
            record, valid = TaggedRecord(number), True
        valid = valid and is_utf8(line)
        if record is None:
            if line.strip():
                yield Rejected(source.origin, number, f"before the first {start}: not part of a record")
        elif found:
            tag = found[1].strip()
            record.values.setdefault(tag, []).append((found[2] or "").strip())
        elif line.strip() and tag:
            record.values[tag][-1] += f" {line.strip()}"
    yield from _told(record, source, valid=valid)


def _told(record: TaggedRecord | None, source: Source, *, valid: bool) -> Iterator[TaggedRecord | Rejected]:
    if record is not None:
        yield record if valid else Rejected(source.origin, record.line, "not valid UTF-8")


def given_name_first(name: str) -> str:
    """`Lee, Ann` as `Ann Lee`; names with more commas or none stay."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and "," not in first else name
