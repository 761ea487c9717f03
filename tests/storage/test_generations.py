"""Generations of a folder, whatever is in them: which one is current after each way of stopping."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.storage import generations
from rag.storage.checksums import sha256_of
from rag.storage.generations import current_name, new_generation

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def write(root: Path, text: str) -> None:
    with new_generation(root) as folder:
        (folder / "lexical").mkdir()
        (folder / "lexical" / "terms").write_text(text)
        (folder / "manifest.json").write_text(f'"{text}"')


def read(root: Path) -> str:
    """The text of the current generation, checked as a reader would."""
    name, _, digest = (root / "CURRENT").read_text().strip().partition(" ")
    assert sha256_of(root / name / "manifest.json") == digest
    return (root / name / "lexical" / "terms").read_text()


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


# Writes one more generation and is killed at the step its argument names.
KILLED = """
import os, signal, sys
from pathlib import Path
import rag.storage.atomic
from rag.storage import generations

def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

place, _, step = sys.argv[2].rpartition(".")
setattr(sys.modules[place], step, die)
with generations.new_generation(Path(sys.argv[1])) as folder:
    (folder / "lexical").mkdir()
    (folder / "lexical" / "terms").write_text("killed")
    (folder / "manifest.json").write_text('"killed"')
"""


def write_and_be_killed(root: Path, step: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), step],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL


def test_the_last_two_are_kept(root: Path) -> None:
    for text in ("one", "two", "three"):
        write(root, text)
        assert read(root) == text
    assert (current_name(root), folders(root)) == ("gen-000003", ["gen-000002", "gen-000003"])


def test_an_orphan_is_removed_and_what_was_current_is_kept(root: Path) -> None:
    """Killed between the rename and CURRENT: the higher number is not the one readers hold."""
    write(root, "one")
    write_and_be_killed(root, "rag.storage.generations.write_whole")
    assert folders(root) == ["gen-000001", "gen-000002"]
    assert read(root) == "one"
    write(root, "three")
    assert read(root) == "three"
    assert (current_name(root), folders(root)) == ("gen-000003", ["gen-000001", "gen-000003"])
    assert (root / "gen-000001" / "lexical" / "terms").read_text() == "one"


def test_an_orphan_of_the_first_write_is_removed(root: Path) -> None:
    write_and_be_killed(root, "rag.storage.generations.write_whole")
    assert (current_name(root), folders(root)) == (None, ["gen-000001"])
    write(root, "two")
    assert (read(root), folders(root)) == ("two", ["gen-000002"])


def test_what_was_half_written_is_removed(root: Path) -> None:
    write(root, "one")
    write_and_be_killed(root, "rag.storage.atomic.sync_tree")
    assert len(folders(root)) == 2
    assert read(root) == "one"
    write(root, "two")
    assert (read(root), folders(root)) == ("two", ["gen-000001", "gen-000002"])


@pytest.mark.parametrize("step", ["atomic.sync_tree", "generations.write_whole", "generations.sha256_of"])
def test_a_failure_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    write(root, "one")
    write(root, "two")
    for _ in range(3):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr(f"rag.storage.{step}", refuse)
            write(root, "three")
        assert (read(root), folders(root)) == ("two", ["gen-000001", "gen-000002"])
    write(root, "three")
    assert (read(root), folders(root)) == ("three", ["gen-000002", "gen-000003"])


def test_a_failure_after_current_was_written_keeps_what_current_names(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = generations.sync

    def refuse(path: Path) -> None:
        if path == root:
            raise OSError(5, "the disk is gone")
        real(path)

    write(root, "one")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="gone"):
        patch.setattr(generations, "sync", refuse)
        write(root, "two")
    assert (read(root), folders(root)) == ("two", ["gen-000001", "gen-000002"])


def test_without_a_manifest_nothing_becomes_current(root: Path) -> None:
    write(root, "one")
    with pytest.raises(FileNotFoundError, match="manifest"), new_generation(root) as folder:
        (folder / "papers").write_text("two")
    assert (read(root), folders(root)) == ("one", ["gen-000001"])


def test_a_current_that_names_nothing_is_replaced(root: Path) -> None:
    write(root, "one")
    (root / "gen-000001").rename(root / "elsewhere")
    write(root, "two")
    assert (read(root), folders(root)) == ("two", ["elsewhere", "gen-000001"])


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"gen-000007 abc\n", "gen-000007"), (b"gen-000007\n", "gen-000007"), (b"", ""), (b"\xff", None)],
)
def test_the_name_in_current(root: Path, content: bytes, name: str | None) -> None:
    root.mkdir()
    assert current_name(root) is None
    (root / "CURRENT").write_bytes(content)
    assert current_name(root) == name
