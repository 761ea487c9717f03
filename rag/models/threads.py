"""How many threads torch may use. Two barriers spinning beside a busy core cost more than they bring."""

from __future__ import annotations

import os


def set_torch_threads(threads: int | None) -> None:
    """Use `threads` threads, or as many as this process may run on."""
    import torch

    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
