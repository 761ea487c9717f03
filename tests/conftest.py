"""What holds for every test: nobody's files are touched, nothing leaves this machine.

Subprocesses inherit the environment set here, so the first lines run before anything is imported.
"""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for name in [name for name in os.environ if name.startswith("CITEWISE_")]:
    del os.environ[name]  # a developer's own settings
os.environ["CITEWISE_CACHE_DIR"] = tempfile.mkdtemp(prefix="citewise-tests-")
os.environ["CITEWISE_DATA_DIR"] = os.path.join(os.environ["CITEWISE_CACHE_DIR"], "data")  # noqa: PTH118
atexit.register(shutil.rmtree, os.environ["CITEWISE_CACHE_DIR"], ignore_errors=True)


class NetworkUsed(AssertionError):
    """A test tried to reach another machine. Not an OSError: no code may take it for a bad line."""


def is_loopback(address: object) -> bool:
    """Whether a socket address stays on this machine; names of files (Unix sockets) do."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in {"localhost", ""}


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    send_to, look_up = socket.socket.sendto, socket.getaddrinfo

    def refuse_unless_loopback(address: object) -> None:
        if not is_loopback(address):
            raise NetworkUsed(f"a test tried to reach {address}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse_unless_loopback(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        refuse_unless_loopback(address)
        return connect_ex(self, address)

    def guarded_send_to(self: socket.socket, data: Any, *rest: Any) -> int:
        refuse_unless_loopback(rest[-1])
        return send_to(self, data, *rest)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        refuse_unless_loopback((name or "localhost", 0))
        return look_up(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_send_to)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Only slow tests have a reader of their own accord: in an empty cache it is converted first."""
    os.environ["CITEWISE_READER"] = "none"
    if item.get_closest_marker("slow"):
        del os.environ["CITEWISE_READER"]


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test alone; `Settings.load()` finds it through the environment."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all slow tests: converting the generator takes a minute and 1.3 GB."""
    folder = tmp_path_factory.mktemp("models")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
