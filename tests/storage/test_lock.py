"""One process at a time, however the one before it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rag.storage.lock import ProcessLock

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from rag.storage.lock import ProcessLock
lock = ProcessLock(Path(sys.argv[1]), lambda holder: RuntimeError(holder))
print("held", flush=True)
time.sleep(60)
"""


def taken(path: Path, *, kept: bool = True) -> ProcessLock:
    return ProcessLock(path, lambda holder: RuntimeError(f"held by {holder}"), kept=kept)


@pytest.mark.parametrize("kept", [True, False])
def test_it_is_held_once_and_again_after_it_was_let_go(tmp_path: Path, kept: bool) -> None:
    path = tmp_path / ".lock"
    for _ in range(2):
        with closing(taken(path, kept=kept)), pytest.raises(RuntimeError, match=f"held by {os.getpid()}$"):
            taken(path)
        assert path.exists() == kept


def test_closing_twice_lets_go_of_nothing_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    first = taken(path, kept=False)
    first.close()
    with closing(taken(path)):
        first.close()
        with pytest.raises(RuntimeError):
            taken(path)


def test_it_goes_with_a_killed_process_and_its_file_holds_no_one_up(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RuntimeError, match=f"held by {holder.pid}$"):
        taken(path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert path.read_text() == str(holder.pid)
    with closing(taken(path)):
        assert path.read_text() == str(os.getpid())


def test_a_file_without_a_number_names_no_process(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with closing(taken(path)):
        path.write_bytes(b"")
        with pytest.raises(RuntimeError, match=r"held by \?"):
            taken(path)


def test_a_place_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        taken(tmp_path / "none" / ".lock")
    assert not (tmp_path / "none").exists()


def test_what_only_unix_has_is_imported_nowhere() -> None:
    assert [
        path for path in (ROOT / "rag").rglob("*.py") if "fcntl" in path.read_text(encoding="utf-8")
    ] == []
