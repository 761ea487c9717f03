"""The token bucket: numbers computed by hand."""

from __future__ import annotations

import pytest

from rag.web.rate_limit import Bucket, Clients, client_of, spend


@pytest.mark.parametrize(
    ("left", "after_s", "left_then", "wait_s"),
    [
        (3.0, 0.0, 2.0, 0.0),
        (1.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 1.0),  # 60 a minute: one a second
        (0.0, 0.25, 0.25, 0.75),
        (0.0, 1.0, 0.0, 0.0),
        (0.5, 2.0, 1.5, 0.0),
        (3.0, 100.0, 2.0, 0.0),  # never more than the burst
    ],
)
def test_spend(left: float, after_s: float, left_then: float, wait_s: float) -> None:
    bucket, waits = spend(Bucket(left, 10.0), 10.0 + after_s, per_minute=60, burst=3)
    assert bucket == pytest.approx((left_then, 10.0 + after_s))
    assert waits == pytest.approx(wait_s)


def test_a_refused_request_costs_nothing() -> None:
    now, allowed = 0.0, 0
    clients = Clients(60, 2, clock=lambda: now)
    for _ in range(100):  # ten seconds, ten requests a second
        allowed += clients.wait_s("10.0.0.1") == 0.0
        now += 0.1
    assert allowed == 2 + 9


def test_clients_do_not_pay_for_each_other() -> None:
    clients = Clients(60, 1, clock=lambda: 0.0)
    assert [clients.wait_s(who) for who in ("10.0.0.1", "10.0.0.1", "10.0.0.2")] == [0.0, 1.0, 0.0]


def test_the_table_of_clients_is_bounded() -> None:
    clients = Clients(60, 1, clock=lambda: 0.0)
    for number in range(20_000):
        clients.wait_s(f"name-{number}")
    assert len(clients._buckets) == 10_000


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_whom_an_address_stands_for(address: str, client: str) -> None:
    assert client_of(address) == client
