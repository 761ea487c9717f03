"""One contender in a process of its own: requests in, measurements out, a JSON line each.

Wall and CPU seconds are measured around every step; on a machine that is not idle only the CPU seconds and
the ratios between contenders mean something.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

from eval.bench.contenders import CONTENDERS
from eval.bench.contenders.base import Contender
from rag.types import Paper


def measured(contender: Contender, step: str, given: Any) -> dict[str, float]:  # noqa: ANN401 - JSON
    """Carry out one step; its figures, seconds and the peak memory so far."""
    if step == "index":
        given = [Paper(**record) for record in given]
    run = getattr(contender, step)
    wall, cpu = time.perf_counter(), time.process_time()
    figures: dict[str, float] = run() if given is None else run(given)
    return {
        **figures,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Serve requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")  # libraries may print: that goes to standard error
    os.dup2(2, 1)
    contender = CONTENDERS[sys.argv[1]]()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(measured(contender, request["step"], request.get("given"))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
