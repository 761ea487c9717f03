"""What the training scripts share: arguments, the trainer's settings, going on after a stop, what is kept.

A run is a folder: `checkpoints/` while it lasts, then its weights and its record, `run.json`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch
    from transformers import Trainer

_Made = TypeVar("_Made")


def parser(
    doc: str | None, *, seed: int, epochs: float, batch: int, rate: float, counted: str
) -> argparse.ArgumentParser:
    """The arguments of every script, with this one's defaults; `counted`: what its batch and limit count."""
    found = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    found.add_argument("--data", type=Path, required=True, help="the folder of the written questions")
    found.add_argument("--out", type=Path, required=True, help="the run; a stopped one goes on there")
    found.add_argument("--seed", type=int, default=seed)
    found.add_argument("--epochs", type=float, default=epochs)
    found.add_argument("--batch", type=int, default=batch, help=f"{counted} a step")
    found.add_argument("--rate", type=float, default=rate, help="the highest learning rate")
    found.add_argument("--limit", type=int, default=None, help=f"only so many {counted}, for a trial")
    return found


def begin(given: argparse.ArgumentParser, *, threads: int | None = 1) -> argparse.Namespace:
    """Read the arguments, seed what draws, make the run's folder. `threads` None: as many as torch likes."""
    import torch

    arguments = given.parse_args()
    random.seed(arguments.seed)
    torch.manual_seed(arguments.seed)
    if threads is not None:
        torch.set_num_threads(threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    return arguments


def settings_of(arguments: argparse.Namespace, kind: Callable[..., _Made], **own: Any) -> _Made:
    """`TrainingArguments`, or a kind of them: what the runs share, then this one's own, which wins."""
    shared = {
        "output_dir": str(_checkpoints(arguments.out)),
        "num_train_epochs": arguments.epochs,
        "learning_rate": arguments.rate,
        "seed": arguments.seed,
        "bf16": True,
        "use_cpu": True,
        "save_total_limit": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }
    return kind(**(shared | own))


def train(trainer: Trainer, out: Path) -> None:
    """Train to the end; a run that was stopped goes on from its newest checkpoint."""
    trainer.train(resume_from_checkpoint=newest_checkpoint(out))


def newest_checkpoint(out: Path) -> str | None:
    """The checkpoint with the highest step, by number: 1000 comes after 900."""
    from transformers.trainer_utils import get_last_checkpoint

    folder = _checkpoints(out)
    if not folder.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    return found


def go_on_from(weights: Path | None, model: torch.nn.Module) -> None:
    """Put the weights that `keep_weights` wrote into a model; nothing when there are none."""
    from safetensors.torch import load_file

    if weights is not None:
        model.load_state_dict(load_file(weights), strict=False)


def keep_weights(model: torch.nn.Module, out: Path) -> None:
    """Every tensor of a model, as `training.ship` reads it."""
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, out / "model.safetensors")


def keep_record(record: dict[str, Any], out: Path) -> None:
    """What was measured, and the trainer's log, as `training.curves` reads it."""
    (out / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _checkpoints(out: Path) -> Path:
    return out / "checkpoints"
