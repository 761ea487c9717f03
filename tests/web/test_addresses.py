"""Which addresses only this machine reaches, and the listening socket."""

from __future__ import annotations

import pytest

from rag.errors import SettingsError
from rag.web.addresses import is_address, is_loopback, listen, url_of


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True), ("0.0.0.0", False),
        ("10.0.0.1", False), ("::", False), ("example.org", False), ("", False),
        ("localhost.evil.org", False),
    ],
)  # fmt: skip
def test_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "address"),
    [("10.0.0.1", True), ("[::1]", True), ("::1", True), ("example.org", False), ("1.2.3.4.evil.org", False)],
)
def test_is_address(host: str, address: bool) -> None:
    assert is_address(host) is address


def test_a_taken_port_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        assert url_of(taken).startswith("http://127.0.0.1:")
        with pytest.raises(SettingsError, match="cannot be used") as caught:
            listen("127.0.0.1", taken.getsockname()[1])
        assert "--port" in caught.value.hint


def test_a_version_6_address_has_brackets() -> None:
    try:
        listener = listen("::1", 0)
    except SettingsError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")
