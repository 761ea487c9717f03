"""How many threads a model may use, and a thread that loads one beside the rest.

Two barriers spinning beside a busy core cost more than they bring.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from rag.errors import CitewiseError

_log = logging.getLogger(__name__)


def threads_of(threads: int | None) -> int:
    """`threads`, or as many as this process may run on."""
    return threads or len(os.sched_getaffinity(0))


def cores_free(cores: int, load: float) -> int:
    """How many of `cores` are left when `load` processes run already; at least one."""
    return max(1, min(cores, cores - round(load)))


def in_background(load: Callable[[], object]) -> None:
    """Load a model ahead; what fails is told when the model is asked."""
    threading.Thread(target=_quietly, args=(load,), name="citewise-preload", daemon=True).start()


def _quietly(load: Callable[[], object]) -> None:
    try:
        load()
    except CitewiseError as exc:
        _log.debug("a model could not be loaded ahead: %s", exc.message)


def set_torch_threads(threads: int | None) -> None:
    """Use `threads` threads, or as many as there are cores that nobody else is using.

    Torch's threads wait for each other by spinning: beside one busy core two of them decode at a fifth of
    the speed of one.
    """
    import torch

    free = cores_free(threads_of(None), os.getloadavg()[0])
    torch.set_num_threads(threads or free)
