"""The scale benchmark's arithmetic, and one run over a handful of rows."""

from __future__ import annotations

import numpy as np
import pytest

from eval.bench.extended import extended, recall, truth
from eval.bench.scale import measured, times


def test_recall_by_hand():
    assert recall([[1, 2], [3, 4]], [[2, 1], [3, 9]]) == pytest.approx(0.75)


def test_times_by_hand():
    """Of 1..20 ms the median is 10.5 and the 95th percentile the 19th; 0.4 CPU s over 20 calls are 20 ms."""
    found = times([n / 1000 for n in range(20, 0, -1)], 0.4)
    assert (found.median_ms, found.p95_ms, found.cpu_ms) == pytest.approx((10.5, 19.0, 20.0))
    assert times([0.003], 0.0).p95_ms == pytest.approx(3.0)


def test_extended_rows_are_unit_rows_near_real_ones():
    real = np.eye(8, dtype=np.float32)
    rows = extended(real, 50, noise=0.1)
    assert np.array_equal(rows[:8], real)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert (rows @ real.T).max(axis=1).min() > 0.6  # halfway between two: 1 / sqrt(2), less the noise
    assert np.array_equal(extended(real, 50, noise=0.1), rows)
    assert np.array_equal(extended(real, 3), real[:3])


@pytest.mark.parametrize("kind", ["flat", "coded"])
def test_one_kind_is_measured_as_it_is_opened(kind):
    rows = extended(np.eye(16, dtype=np.float32), 300)
    record = measured(kind, rows, rows[:5], truth(rows, rows[:5], 100))
    assert record["best_10"]["recall"] == record["best_100"]["recall"] == 1.0
    assert record["build_s"] > 0
    assert set(record["bytes"]) >= {"vectors.faiss", "vectors.ids.json"}
