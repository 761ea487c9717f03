"""One input file as bytes, as text and as lines: opened, decompressed within bounds, decoded.

Knows nothing of formats, nor of what a row means. Text is decoded with `surrogateescape`, so a reader can
reject the one row whose bytes are no UTF-8 (`is_utf8`) and keep the others.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from rag.errors import CitewiseError, ReadError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 65_536
MAX_TEXT_BYTES = 2_000_000_000
MAX_GZIP_RATIO = 200
# The ratio says nothing about small files: a short file of like rows may shrink further.
GZIP_RATIO_FREE_BYTES = 10_000_000
MAX_LINE_BYTES = 16_000_000

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = "\ufeff"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class Row(NamedTuple):
    """A row of a file: its values by column, or in words why it has none.

    `line` is where it stands, from 1; the row's number in a format without lines.
    """

    line: int
    fields: Mapping[str, object] | str


@dataclass(frozen=True, slots=True)
class RowRules:
    """How long a line may be, and in which words a row is refused. `{}`: what the parser said."""

    line_bytes_max: int
    too_long: str
    not_utf8: str
    not_json: str
    not_object: str

    def fault(self, line: str) -> str | None:
        """Why a line cannot be used, before anyone parses it."""
        if len(line) > self.line_bytes_max:
            return self.too_long
        return None if is_utf8(line) else self.not_utf8


def is_utf8(text: str) -> bool:
    """Whether `text`, decoded by this module, came from valid UTF-8."""
    return _ESCAPED_BYTE.search(text) is None


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read. `origin` is how papers name it; `head` is its first bytes, decompressed."""

    path: Path
    origin: str
    head: bytes

    @property
    def suffix(self) -> str:
        """The file's suffix in lower case, looking through `.gz`."""
        name = self.path.name.lower()
        return Path(name.removesuffix(".gz")).suffix

    @property
    def head_text(self) -> str:
        """The first bytes as text; a character cut in two at the end is left out."""
        text = self.head.decode("utf-8", errors="ignore")
        return text.removeprefix(_BOM).replace("\r\n", "\n")

    @property
    def head_is_whole(self) -> bool:
        """Whether `head` is the whole file."""
        return len(self.head) < HEAD_BYTES

    def text(self) -> str:
        r"""The whole file as text, without BOM, line ends as `\n`.

        :raises ReadError: if it cannot be read or is larger than a whole text may be.
        """
        with open_bytes(self.path) as stream:
            data = stream.read(MAX_TEXT_BYTES + 1)
        if len(data) > MAX_TEXT_BYTES:
            raise ReadError(
                f"{self.path} is larger than {MAX_TEXT_BYTES:,} bytes.",
                hint="Split it, or turn it into JSONL or Parquet, which are read piece by piece.",
            )
        text = data.decode("utf-8", errors="surrogateescape")
        return text.removeprefix(_BOM).replace("\r\n", "\n")

    def lines(self) -> Iterator[str]:
        r"""The physical lines with their `\n`, without BOM.

        A line over `MAX_LINE_BYTES` comes cut to just above that length, its rest skipped.

        :raises ReadError: if the file cannot be read.
        """
        with open_bytes(self.path) as stream:
            yield from text_lines(stream, MAX_LINE_BYTES)


def open_source(path: Path, origin: str) -> Source:
    """Look at a file's first bytes.

    :raises ReadError: if the file is missing, unreadable or empty.
    """
    with open_bytes(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise ReadError(f"{path} is empty.", hint="Name a file that holds papers.")
    return Source(path, origin, head)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, gunzipped when they are gzip.

    :raises ReadError: if the file is missing or unreadable, its gzip is damaged or expands beyond bounds.
    """
    try:
        with path.open("rb") as raw:
            if raw.peek(2)[:2] != _GZIP_MAGIC:
                yield raw
                return
            yield _unpacked(raw, path)
    except FileNotFoundError as exc:
        raise ReadError(f"{path} does not exist.", hint="Check the path.") from exc
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise ReadError(
            f"{path} is damaged: its gzip data breaks off or is invalid ({exc}).",
            hint="Fetch or make the file again.",
        ) from exc
    except OSError as exc:
        raise ReadError(
            f"{path} cannot be read: {exc.strerror or exc}.",
            hint="Check that it is a file and that you may read it.",
        ) from exc


def text_lines(stream: IO[bytes], bytes_max: int) -> Iterator[str]:
    r"""The physical lines with their `\n`, without BOM; UTF-16 with a BOM is read as a whole.

    A line over `bytes_max` comes cut to just above that length, its rest skipped. Bytes that are no UTF-8
    stay visible: see `is_utf8`.
    """
    line = stream.readline(bytes_max + 1)
    if line.startswith(_UTF16_MARKS):
        stream = io.BytesIO((line + stream.read()).decode("utf-16").encode("utf-8", "replace"))
        line = stream.readline(bytes_max + 1)
    line = line.removeprefix(_BOM.encode())
    while line:
        if len(line) > bytes_max and not line.endswith(b"\n"):
            _skip_line(stream, bytes_max)
        yield line.decode("utf-8", errors="surrogateescape")
        line = stream.readline(bytes_max + 1)


def _skip_line(stream: IO[bytes], bytes_max: int) -> None:
    """Read on to the next line's start."""
    while (rest := stream.readline(bytes_max)) and not rest.endswith(b"\n"):
        pass


def gunzipped(packed: IO[bytes], bytes_max: int, refusal: CitewiseError) -> IO[bytes]:
    """A gunzipping stream that raises `refusal` once more than `bytes_max` came out: it may be a bomb."""
    return io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=packed), bytes_max, refusal))


def _unpacked(packed: IO[bytes], path: Path) -> IO[bytes]:
    by_ratio = max(GZIP_RATIO_FREE_BYTES, path.stat().st_size * MAX_GZIP_RATIO)
    refusal = ReadError(
        f"{path} unpacks to more than {MAX_GZIP_RATIO} times its size or {MAX_TEXT_BYTES:,} bytes.",
        hint="If you trust it, unpack it with gunzip and name the unpacked file.",
    )
    return gunzipped(packed, min(MAX_TEXT_BYTES, by_ratio), refusal)


class _Bounded(io.RawIOBase):
    """The raw half of `gunzipped`."""

    def __init__(self, unzipped: gzip.GzipFile, bytes_max: int, refusal: CitewiseError) -> None:
        super().__init__()
        self._unzipped, self._left, self._refusal = unzipped, bytes_max, refusal

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; the refusal once more came out than a sane file holds."""
        view = memoryview(buffer).cast("B")
        piece = self._unzipped.read(len(view))
        self._left -= len(piece)
        if self._left < 0:
            raise self._refusal
        view[: len(piece)] = piece
        return len(piece)
