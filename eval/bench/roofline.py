"""What the machine allows: memory bandwidth and matrix products, one thread, by CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

READ_BYTES = 1 << 28
SIZE = 1024


def bandwidth_gb_s(rounds: int = 5) -> float:
    """Best rate at which one thread reads memory that does not fit a cache."""
    block = np.ones(READ_BYTES // 8, dtype=np.float64)
    return max(READ_BYTES / _seconds(block.sum) for _ in range(rounds)) / 1e9


def gemm_gflop_s(rounds: int = 5) -> float:
    """Best rate of a float32 matrix product; the BLAS behind numpy may use more than one thread."""
    left, right = (np.ones((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    return max(2 * SIZE**3 / _seconds(lambda: left @ right) for _ in range(rounds)) / 1e9


def decode_bound(bandwidth: float, weight_bytes: float) -> float:
    """Tokens a second at most, when each reads every weight once. `bandwidth` in GB/s."""
    return bandwidth * 1e9 / weight_bytes


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return max(time.process_time() - began, 1e-9)
