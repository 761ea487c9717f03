"""Parquet, read in batches. `line` of a rejected row is its 1-based row number."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rag.errors import ReadError
from rag.readers.rows import has_needed_columns, is_paper_column, paper_from
from rag.readers.source import Source, open_bytes
from rag.types import Paper, Rejected

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_BATCH = 1_000
_MAGIC = b"PAR1"


def sniff(source: Source) -> bool:
    """Whether the file begins with Parquet's magic bytes."""
    return source.head.startswith(_MAGIC)


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a Parquet file.

    :raises ReadError: if the file is damaged, or lacks a needed column.
    """
    import pyarrow as pa

    # A Parquet file is read from its end: one inside gzip is unpacked to disk first.
    with tempfile.TemporaryFile() as seekable, open_bytes(source.path) as stream:
        if not stream.seekable():
            shutil.copyfileobj(stream, seekable)
            seekable.seek(0)
        try:
            yield from _rows(seekable if not stream.seekable() else stream, source)
        except (pa.ArrowException, OSError, ValueError) as exc:
            raise ReadError(
                f"{source.path} is damaged or no Parquet file: {str(exc)[:200]}",
                hint="Fetch or make the file again.",
            ) from exc


def _rows(stream: object, source: Source) -> Iterator[Paper | Rejected]:
    import pyarrow.parquet as pq

    table: pq.ParquetFile = pq.ParquetFile(stream)
    columns = [str(name) for name in table.schema_arrow.names]
    if not has_needed_columns(columns):
        raise ReadError(
            f"{source.path} has no column for the title or none for the abstract. "
            f"Its columns: {', '.join(columns)[:200]}.",
            hint="Name the columns `title` and `abstract`.",
        )
    wanted = [name for name in columns if is_paper_column(name)]
    number = 0
    for batch in table.iter_batches(batch_size=ROWS_PER_BATCH, columns=wanted):
        for row in _objects(batch):
            number += 1
            if row is None:
                yield Rejected(source.origin, number, "not valid UTF-8")
            else:
                yield paper_from(row, origin=source.origin, line=number)


def _objects(batch: pa.RecordBatch) -> Iterator[Mapping[str, object] | None]:
    """The batch's rows; None for a row whose text is no UTF-8."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for position in range(batch.num_rows):
        try:
            rows = batch.slice(position, 1).to_pylist()
        except UnicodeDecodeError:
            yield None
        else:
            yield from rows
