"""CSV and Parquet made from a journal of answers, and read back to recognise a finished run.

CSV cells that a spreadsheet would run as a formula get a leading apostrophe; nested fields are JSON
text. Parquet keeps the nested types and every character.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import OutputError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1000  # rows held at once
_COLUMNS = (
    "id",
    "question",
    "standalone_question",
    "status",
    "answer",
    "confidence",
    "doubt",
    "sentences",
    "citations",
    "findings",
    "passages",
    "abstention",
    "error",
    "timings",
    "fingerprint",
)
# Blanks and invisible characters, then a trigger. Apostrophes before that are guarded too, so that
# taking one away always gives back what was written.
_FORMULA = re.compile(
    "'*(?:[^\\S\t\r\n]|[\ufeff\u200b-\u200f\u2060])*[=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]"
)


class FinishedRow(NamedTuple):
    """What tells whether a written row is the one a resumed run would write."""

    id: str
    question: str
    status: str
    fingerprint: str


def guard(cell: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def write_export(journal: Path, made: Path, suffix: str) -> None:
    """Write the rows of a JSONL journal to `made` in the format of `suffix`.

    :raises OSError: if it cannot be written.
    """
    EXPORTS[suffix](journal, made)


def _write_csv(journal: Path, made: Path) -> None:
    with (
        journal.open(encoding="utf-8") as lines,
        made.open("w", encoding="utf-8", newline="") as out,
    ):
        table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerow(_COLUMNS)
        for line in lines:
            row = json.loads(line)
            table.writerow([guard(_cell(row[name])) for name in _COLUMNS])


def _cell(value: object) -> str:
    """Text as it is, nothing as an empty cell, the rest as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_parquet(journal: Path, made: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema()
    with journal.open(encoding="utf-8") as lines, parquet.ParquetWriter(made, schema) as out:
        while rows := [json.loads(line) for line in islice(lines, _ROWS)]:
            out.write_table(pa.Table.from_pylist(rows, schema=schema))


def _schema() -> pa.Schema:
    """The published JSON (docs/design.md section 5) as Arrow types."""
    import pyarrow as pa

    text, number, whole = pa.string(), pa.float64(), pa.int64()
    quote = pa.struct({"text": text, "start": whole, "end": whole})
    sentence = pa.struct({"text": text, "citations": pa.list_(whole), "support": number})
    citation = pa.struct(
        {"key": whole, "paper_id": text, "title": text, "url": text, "year": whole}
        | {"quotes": pa.list_(quote)}
    )
    finding = pa.struct({"key": whole, "title": text, "text": text})
    passage = pa.struct({"paper_id": text, "title": text, "rank": whole, "score": number})
    stages = ("retrieve_s", "first_token_s", "generate_s", "verify_s", "total_s")
    nested = {
        "confidence": number,
        "sentences": pa.list_(sentence),
        "citations": pa.list_(citation),
        "findings": pa.list_(finding),
        "passages": pa.list_(passage),
        "abstention": pa.struct({"reason": text, "message": text, "closest": pa.list_(text)}),
        "error": pa.struct({"type": text, "message": text, "hint": text}),
        "timings": pa.struct(dict.fromkeys(stages, number)),
    }
    return pa.schema({name: nested.get(name, text) for name in _COLUMNS})


def finished_export(path: Path) -> Iterator[FinishedRow]:
    """The rows of a finished CSV or Parquet result.

    :raises OutputError: if the file is something else.
    """
    read = _read_csv if path.suffix.lower() == ".csv" else _read_parquet
    try:
        yield from read(path)
    except (KeyError, ValueError, OSError, csv.Error) as exc:
        raise OutputError(
            f"{path} is not a result of Citewise", hint="Use --restart or choose another output."
        ) from exc


def _read_csv(path: Path) -> Iterator[FinishedRow]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield FinishedRow(*(unguard(row[name] or "") for name in FinishedRow._fields))


def _read_parquet(path: Path) -> Iterator[FinishedRow]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS, columns=list(FinishedRow._fields)):
            for row in batch.to_pylist():
                yield FinishedRow(*(row[name] for name in FinishedRow._fields))


EXPORTS: Mapping[str, Callable[[Path, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
