"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.storage.atomic import sync, whole_file, whole_folder, write_whole


@pytest.mark.parametrize("synced", [True, False])
def test_text_and_bytes_take_the_place_of_what_was_there(tmp_path: Path, synced: bool) -> None:
    path = tmp_path / "kept.json"
    for content, found in (("ä\n", "ä\n".encode()), (b"\xff\r\n", b"\xff\r\n"), ("", b"")):
        write_whole(path, content, synced=synced)
        assert path.read_bytes() == found
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "kept.json"
    write_whole(path, "old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, step, refuse)
        write_whole(path, "new", synced=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_can_be_synced(tmp_path: Path) -> None:
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "none")


def test_a_file_is_filled_at_its_own_place_over_what_a_killed_process_left(tmp_path: Path) -> None:
    path, partial = tmp_path / "out.csv", tmp_path / "out.csv.tmp"
    partial.write_text("half of an earlier one, and longer")
    with whole_file(path, partial=partial, synced=True) as made:
        assert made == partial
        made.write_text("whole")
        assert not path.exists()
    assert (path.read_text(), list(tmp_path.iterdir())) == ("whole", [path])


@pytest.mark.parametrize("synced", [True, False])
def test_a_folder_takes_the_place_of_what_was_there(tmp_path: Path, synced: bool) -> None:
    target = tmp_path / "deep" / "target"
    for text in ("old", "new"):
        with whole_folder(target, synced=synced) as folder:
            (folder / "inner").mkdir()
            (folder / "inner" / text).write_text(text)
        assert [path.name for path in (target / "inner").iterdir()] == [text]
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with whole_folder(target) as folder:
        (folder / "old").touch()
    with pytest.raises(ValueError, match="broken"), whole_folder(target) as folder:
        (folder / "new").touch()
        raise ValueError("broken")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]
