"""Where a server listens: which addresses only this machine reaches, and the socket itself."""

from __future__ import annotations

import ipaddress
import socket

from rag.errors import SettingsError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """True for a name or address that only this machine can reach."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """True for an IP address, with or without the brackets of a URL: a name of nobody's choosing."""
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; taken before anything is loaded.

    :raises SettingsError: if the address is not ours or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as exc:
        raise SettingsError(
            f"Port {port} on {host} cannot be used: {exc.strerror or exc}.",
            hint="Is a server running there already? Else choose another one with --port.",
        ) from exc


def url_of(listener: socket.socket) -> str:
    """The http address of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
