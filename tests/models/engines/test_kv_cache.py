"""What was read is kept within its bounds, and comes back as it was."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")

from rag.models.engines.kv_cache import PrefixStore

ROOM = 1 << 20


def states(value: float, count: int = 8) -> dict[str, np.ndarray]:
    return {"layer.key": np.full((1, count), value, dtype=np.float16)}


def store(folder: Path, *, disk_bytes: int = ROOM, memory_bytes: int = ROOM) -> PrefixStore:
    return PrefixStore(folder, disk_bytes=disk_bytes, memory_bytes=memory_bytes)


def kept(found: PrefixStore, *tokens: int) -> float | None:
    there = found.get(tokens)
    return None if there is None else float(there["layer.key"][0, 0])


def test_what_was_kept_comes_back_and_nothing_else(tmp_path: Path) -> None:
    found = store(tmp_path)
    found.put([1, 2], states(0.5))
    assert kept(found, 1, 2) == 0.5
    assert kept(found, 2, 1) is None
    assert kept(found) is None


def test_another_process_finds_it_on_the_disk(tmp_path: Path) -> None:
    store(tmp_path).put([1], states(0.25))
    assert kept(store(tmp_path), 1) == 0.25


def test_memory_forgets_what_was_used_least_recently(tmp_path: Path) -> None:
    found = store(tmp_path, disk_bytes=0, memory_bytes=32)  # two of 16 bytes each, and nothing on the disk
    found.put([1], states(1.0))
    found.put([2], states(2.0))
    assert kept(found, 1) == 1.0
    found.put([3], states(3.0))
    assert [kept(found, n) for n in (1, 2, 3)] == [1.0, None, 3.0]
    assert list(tmp_path.iterdir()) == []


def test_the_disk_keeps_within_its_bound_and_forgets_the_longest_unused(tmp_path: Path) -> None:
    whole = store(tmp_path)
    whole.put([1], states(1.0, 500))
    (one,) = tmp_path.iterdir()
    size = one.stat().st_size
    found = store(tmp_path, disk_bytes=2 * size, memory_bytes=0)
    found.put([2], states(2.0, 500))
    (two,) = set(tmp_path.iterdir()) - {one}
    os.utime(one, ns=(10, 10))
    os.utime(two, ns=(20, 20))
    assert kept(store(tmp_path), 1) == 1.0  # used just now: the other goes
    found.put([3], states(3.0, 500))
    assert [kept(store(tmp_path), n) for n in (1, 2, 3)] == [1.0, None, 3.0]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * size


def test_a_broken_file_is_as_good_as_none(tmp_path: Path) -> None:
    store(tmp_path).put([1], states(1.0))
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"half")
    assert kept(store(tmp_path), 1) is None


def test_a_disk_that_refuses_costs_only_the_keeping(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    found = store(tmp_path / "file")
    found.put([1], states(1.0))
    assert "could not be kept" in caplog.text
    assert kept(found, 1) == 1.0
