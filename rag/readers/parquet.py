"""Parquet, read in batches. `line` of a rejected row is its 1-based row number."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING

from rag.errors import ReadError
from rag.readers.rows import PAPER_ROWS, has_needed_columns, is_paper_column, paper_of
from rag.readers.source import Row, RowRules, Source, open_bytes
from rag.types import Paper, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

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

    with open_bytes(source.path) as stream, seekable(stream) as file:
        try:
            for row in batch_rows(file, partial(_wanted, source), PAPER_ROWS, ROWS_PER_BATCH):
                yield paper_of(row, source.origin)
        except (pa.ArrowException, OSError, ValueError) as exc:
            raise ReadError(
                f"{source.path} is damaged or no Parquet file: {str(exc)[:200]}",
                hint="Fetch or make the file again.",
            ) from exc


def _wanted(source: Source, columns: list[str]) -> list[str]:
    if not has_needed_columns(columns):
        raise ReadError(
            f"{source.path} has no column for the title or none for the abstract. "
            f"Its columns: {', '.join(columns)[:200]}.",
            hint="Name the columns `title` and `abstract`.",
        )
    return [name for name in columns if is_paper_column(name)]


@contextmanager
def seekable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream, or what it holds on disk: a Parquet file is read from its end."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(stream, unpacked)
        unpacked.seek(0)
        yield unpacked


def batch_rows(
    file: IO[bytes], wanted: Callable[[list[str]], Sequence[str]], rules: RowRules, rows_at_once: int
) -> Iterator[Row]:
    """The rows of a Parquet file with their numbers, `rows_at_once` of them held.

    :param wanted: chooses among the columns; it may refuse them all by an error.
    :raises pyarrow.ArrowException: if the file is damaged.
    """
    import pyarrow.parquet as pq

    table: pq.ParquetFile = pq.ParquetFile(file)
    columns = list(wanted([str(name) for name in table.schema_arrow.names]))
    batches = table.iter_batches(batch_size=rows_at_once, columns=columns)
    for number, fields in enumerate(chain.from_iterable(map(_objects, batches)), start=1):
        yield Row(number, rules.not_utf8 if fields is None else fields)


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
