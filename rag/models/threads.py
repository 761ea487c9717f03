"""How many threads a model may use. Two barriers spinning beside a busy core cost more than they bring."""

from __future__ import annotations

import os


def threads_of(threads: int | None) -> int:
    """`threads`, or as many as this process may run on."""
    return threads or len(os.sched_getaffinity(0))


def cores_free(cores: int, load: float) -> int:
    """How many of `cores` are left when `load` processes run already; at least one."""
    return max(1, min(cores, cores - round(load)))


def set_torch_threads(threads: int | None) -> None:
    """Use `threads` threads, or as many as there are cores that nobody else is using.

    Torch's threads wait for each other by spinning: beside one busy core two of them decode at a fifth of
    the speed of one.
    """
    import torch

    free = cores_free(threads_of(None), os.getloadavg()[0])
    torch.set_num_threads(threads or free)
