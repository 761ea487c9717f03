"""The mean of the weights of several runs of one model ("model soups", Wortsman et al., 2022).

    python -m training.soup --run RUN --run RUN --out RUN

Runs that went on from one another lie close enough for it: the mean keeps what either learned, and costs
nothing to run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"


def mean_of(runs: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Each tensor's mean, float32.

    :raises ValueError: if the runs hold tensors of different names.
    """
    names = set(runs[0])
    if any(set(run) != names for run in runs):
        raise ValueError("these runs are not of one model: their tensors have different names")
    return {name: sum(run[name].float() for run in runs) / len(runs) for name in sorted(names)}  # type: ignore[misc]


def main() -> None:
    """Read the weights, write their mean."""
    from safetensors.torch import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(mean_of([load_file(run / WEIGHTS) for run in arguments.run]), arguments.out / WEIGHTS)


if __name__ == "__main__":
    main()
