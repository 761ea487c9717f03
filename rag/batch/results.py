"""Where answers are written one by one, so that a run killed at any moment can be completed.

A JSONL file is its own journal; CSV and Parquet are made at the end from one that stands beside
them (`<out>.partial.jsonl`). A journal is locked while it is open: two runs never share an output.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from rag.batch.exports import EXPORTS, FinishedRow, finished_export, write_export
from rag.errors import OutputError
from rag.storage.atomic import sync, whole_file
from rag.storage.lock import ProcessLock
from rag.text.printable import STEERING, any_of, readable
from rag.types import Answer

FORMATS = ".jsonl, .csv, .parquet, or - for standard output"
_JSONL = frozenset({".jsonl", ".ndjson"})
_LINE_START = b'{"id": '
_RESTART = "Use --restart to answer all rows again, or choose another output."
# Escaped inside JSON they read the same, and neither split a line nor steer a terminal.
_RISKY = any_of(STEERING)


def json_line(answer: Answer) -> str:
    """The public JSON of an answer on one line, without the newline."""
    text = readable(json.dumps(answer.to_dict(), ensure_ascii=False))
    return _RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_known_output(target: str) -> bool:
    """Whether the name says how to write: see `FORMATS`. Devices and pipes need no suffix."""
    path = Path(target)
    return target == "-" or _is_stream(path) or path.suffix.lower() in _JSONL | EXPORTS.keys()


def open_results(target: str, *, restart: bool = False) -> AnyResults:
    """Open and lock an output; `restart` forgets what an earlier run left in it.

    :raises OutputError: if it cannot be written or another run holds it.
    """
    if target == "-":
        return StreamResults(sys.stdout.buffer)
    path = Path(target).resolve()
    if _is_stream(path):
        return StreamResults(path.open("wb"))
    if path.suffix.lower() in EXPORTS:
        return ExportResults(path, restart=restart)
    return Journal(path, restart=restart)


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


class StreamResults:
    """Lines to standard output or a pipe: flushed, and gone."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def finished(self) -> Iterator[FinishedRow]:
        """Nothing: a stream has no past."""
        return iter(())

    def append(self, answer: Answer) -> None:
        """Write one line and flush it."""
        self._stream.write(f"{json_line(answer)}\n".encode())
        self._stream.flush()

    def commit(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to let go of."""


class Journal:
    """An append-only JSONL file under a lock; every line is on disk before the next begins.

    :raises OutputError: if it cannot be opened, or another run holds it.
    """

    def __init__(self, path: Path, *, restart: bool = False) -> None:
        self.path = path
        self._restart = restart
        with ExitStack() as undone:
            try:
                lock = ProcessLock(path.with_name(f"{path.name}.lock"), lambda _: _busy(path), kept=False)
                undone.callback(lock.close)
                self._file = undone.enter_context(io.FileIO(path, "a+"))
                sync(path.parent)
            except OSError as exc:
                raise _cannot_write(path, exc) from exc
            self._close = undone.pop_all().close

    def finished(self) -> Iterator[FinishedRow]:
        """The whole lines, in order; a torn last one is cut off. On a restart all are forgotten.

        :raises OutputError: if the file holds something else.
        """
        if self._restart:
            self._file.truncate(0)
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                row = _parse(line)
                if row is None:
                    if lines.read(1) or not _is_torn(line):
                        raise OutputError(
                            f"{self.path}: line {number} is not a result of Citewise", hint=_RESTART
                        )
                    self._file.truncate(whole)
                    os.fsync(self._file.fileno())
                    return
                whole += len(line)
                yield row

    def append(self, answer: Answer) -> None:
        """Write one line and force it to disk.

        :raises OutputError: if the disk is full or gone.
        """
        line = memoryview(f"{json_line(answer)}\n".encode())
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as exc:
            raise _cannot_write(self.path, exc) from exc

    def commit(self) -> None:
        """Nothing to do: the journal is the result."""

    def close(self) -> None:
        """Close the file and unlock it."""
        self._close()


class ExportResults:
    """A CSV or Parquet file, made in one step from the journal beside it at the end."""

    def __init__(self, path: Path, *, restart: bool = False) -> None:
        self._path = path
        self._journal = Journal(path.with_name(f"{path.name}.partial.jsonl"), restart=restart)
        self._complete = path.exists() and not restart and not self._journal.path.stat().st_size

    def finished(self) -> Iterator[FinishedRow]:
        """Rows of the journal, or of the finished file when there is no journal any more."""
        return finished_export(self._path) if self._complete else self._journal.finished()

    def append(self, answer: Answer) -> None:
        """Write one line to the journal.

        :raises OutputError: if it cannot be written, or the file was finished by an earlier run.
        """
        if self._complete:
            raise OutputError(f"{self._path} was finished by an earlier run with fewer rows", hint=_RESTART)
        self._journal.append(answer)

    def commit(self) -> None:
        """Replace the file by one made from the journal, then remove the journal.

        :raises OutputError: if it cannot be written.
        """
        try:
            if not self._complete:
                partial = self._path.with_name(f"{self._path.name}.partial.tmp")
                with whole_file(self._path, partial=partial, synced=True) as made:
                    write_export(self._journal.path, made, self._path.suffix.lower())
                sync(self._path.parent)
                self._journal.path.unlink()
        except OSError as exc:
            raise _cannot_write(self._path, exc) from exc

    def close(self) -> None:
        """Close the journal, which unlocks it; an unused one is removed."""
        if self._complete:
            self._journal.path.unlink(missing_ok=True)
        self._journal.close()


AnyResults = StreamResults | Journal | ExportResults


def _busy(path: Path) -> OutputError:
    return OutputError(f"{path}: another run is writing it", hint="Wait for it, or choose another output.")


def _parse(line: bytes) -> FinishedRow | None:
    """A journal line, or None when it is not a whole one."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
        return FinishedRow(*(str(row[name]) for name in FinishedRow._fields))
    except (ValueError, KeyError, TypeError):
        return None


def _is_torn(line: bytes) -> bool:
    """Whether a last line is the beginning of one of ours (with zeros behind after a power cut)."""
    start = line.rstrip(b"\0\n")[: len(_LINE_START)]
    return _LINE_START.startswith(start)


def _cannot_write(path: Path, exc: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: {exc.strerror or exc}",
        hint="Mend that and run the same command again; finished rows are kept.",
    )
