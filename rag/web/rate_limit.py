"""How fast one client may ask: a token bucket, as a pure function and a bounded table of clients."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_CLIENTS_MAX = 10_000


class Bucket(NamedTuple):
    """Requests a client may still make at once, and when that was so."""

    left: float
    at_s: float


def spend(bucket: Bucket, now_s: float, *, per_minute: float, burst: int) -> tuple[Bucket, float]:
    """The bucket after one more request, and the seconds to wait before it is allowed (0.0: now).

    A refused request costs nothing.
    """
    per_second = per_minute / 60
    left = min(float(burst), bucket.left + (now_s - bucket.at_s) * per_second)
    if left >= 1:
        return Bucket(left - 1, now_s), 0.0
    return Bucket(left, now_s), (1 - left) / per_second


def client_of(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 its /64, which one household owns whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else found)


class Clients:
    """The buckets of the clients seen last; whoever was not seen for long starts with a full one."""

    def __init__(self, per_minute: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute, self._burst, self._clock = per_minute, burst, clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> float:
        """Count one request of this address; the seconds it has to wait, 0.0 when it may pass."""
        client, now_s = client_of(address), self._clock()
        with self._lock:
            bucket = self._buckets.pop(client, Bucket(float(self._burst), now_s))
            self._buckets[client], wait_s = spend(
                bucket, now_s, per_minute=self._per_minute, burst=self._burst
            )
            if len(self._buckets) > _CLIENTS_MAX:
                self._buckets.popitem(last=False)
        return wait_s
