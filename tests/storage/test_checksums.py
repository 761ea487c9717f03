"""Checksums that are remembered: never for a file that changed, and never after forgetting."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rag.storage import checksums
from rag.storage.checksums import forget, remembered_sha256, sha256_of

BIG = b"0123456789abcdef" * (1 << 16)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were really read."""
    seen: list[Path] = []

    def read(path: Path) -> str:
        seen.append(path)
        return sha256_of(path)

    monkeypatch.setattr(checksums, "sha256_of", read)
    return seen


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large file; the clock stands ten seconds after it was written."""
    path = tmp_path / "weights.bin"
    path.write_bytes(BIG)
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(checksums.time, "time_ns", lambda: later)
    return path


def test_an_unchanged_file_is_read_once(old: Path, tmp_path: Path, reads: list[Path]):
    found = [remembered_sha256(old, tmp_path / "memory") for _ in range(3)]
    assert found == [sha256_of(old)] * 3
    assert reads == [old]


def test_a_changed_file_is_read_again_even_with_its_old_time(old: Path, tmp_path: Path, reads: list[Path]):
    before, times = remembered_sha256(old, tmp_path), old.stat()
    old.write_bytes(BIG[::-1])
    os.utime(old, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert remembered_sha256(old, tmp_path) == sha256_of(old) != before
    assert len(reads) == 2


def test_what_was_just_written_is_not_remembered(tmp_path: Path, reads: list[Path]):
    path = tmp_path / "weights.bin"
    path.write_bytes(BIG)
    remembered_sha256(path, tmp_path)
    remembered_sha256(path, tmp_path)
    assert len(reads) == 2


def test_small_files_are_always_read(old: Path, tmp_path: Path, reads: list[Path]):
    old.write_bytes(b"small")
    remembered_sha256(old, tmp_path)
    remembered_sha256(old, tmp_path)
    assert len(reads) == 2
    assert not (tmp_path / "checksums.json").exists()


def test_after_forgetting_everything_is_read(old: Path, tmp_path: Path, reads: list[Path]):
    remembered_sha256(old, tmp_path / "a" / "b")
    forget(tmp_path)
    remembered_sha256(old, tmp_path / "a" / "b")
    assert len(reads) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1}', "\x00"])
def test_a_damaged_memory_is_no_memory(old: Path, tmp_path: Path, text: str):
    (tmp_path / "checksums.json").write_text(text)
    assert remembered_sha256(old, tmp_path) == sha256_of(old)


def test_a_memory_that_cannot_be_written_costs_time_only(old: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert remembered_sha256(old, tmp_path / "file") == sha256_of(old)


def test_files_that_are_gone_are_forgotten(old: Path, tmp_path: Path):
    other = tmp_path / "other.bin"
    other.write_bytes(BIG)
    remembered_sha256(other, tmp_path)
    other.unlink()
    remembered_sha256(old, tmp_path)
    assert "other.bin" not in (tmp_path / "checksums.json").read_text()


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(OSError, match="nothing"):
        remembered_sha256(tmp_path / "nothing", tmp_path)
