"""One input file as bytes and as text: opened, decompressed within bounds, decoded.

Knows nothing of formats. Text is decoded with `surrogateescape`, so a reader can reject the
one row whose bytes are no UTF-8 (`is_utf8`) and keep the others.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from rag.errors import ReadError

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
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


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
            first = True
            while line := stream.readline(MAX_LINE_BYTES + 1):
                if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                    _skip_line(stream)
                text = line.decode("utf-8", errors="surrogateescape")
                yield text.removeprefix(_BOM) if first else text
                first = False


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
            size = path.stat().st_size
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield io.BufferedReader(_Bounded(unzipped, path, size))
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


class _Bounded(io.RawIOBase):
    """A gunzipping stream that refuses to expand without end."""

    def __init__(self, unzipped: BinaryIO | gzip.GzipFile, path: Path, packed_bytes: int) -> None:
        super().__init__()
        self._unzipped = unzipped
        self._path = path
        by_ratio = max(GZIP_RATIO_FREE_BYTES, packed_bytes * MAX_GZIP_RATIO)
        self._left = min(MAX_TEXT_BYTES, by_ratio)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; `ReadError` once more came out than a sane file holds."""
        view = memoryview(buffer).cast("B")
        piece = self._unzipped.read(len(view))
        self._left -= len(piece)
        if self._left < 0:
            raise ReadError(
                f"{self._path} unpacks to more than {MAX_GZIP_RATIO} times its size "
                f"or {MAX_TEXT_BYTES:,} bytes.",
                hint="If you trust it, unpack it with gunzip and name the unpacked file.",
            )
        view[: len(piece)] = piece
        return len(piece)


def _skip_line(stream: IO[bytes]) -> None:
    """Read on to the next line's start."""
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass
