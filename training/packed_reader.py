"""Trains a reader of whole abstracts: LoRA (Hu et al., 2022) on all questions of a paper at once.

    python -m training.packed_reader --data FOLDER --out RUN --model FOLDER [--minutes 85]

`--model`: a causal language model with a chat template, as a safetensors folder. The lower layers stay as
they are. The rate falls as a cosine over the lessons or over `--minutes`, whichever is used up first, so that
a run beside other work ends in time and at a small rate. A stopped run goes on from its checkpoint.

RUN holds `checkpoint.safetensors` while it lasts and `curve.csv`; at the end `adapter.safetensors` and
`run.json`.
"""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training import runs
from training.lessons import held_out_sheets, training_sheets
from training.packing import Speller, answer_losses
from training.reading import answers, figures, held_out_loss
from training.sheets import Sheet, most_wanted
from training.ship import unpacked

SEED = 20261130
RANK = 16
SCALING = 2  # of the adapter's product
TRAINED = 16  # upper layers
MATRICES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
WARM_UP = 20  # steps
CHECK_SECONDS = 1100.0  # between two checkpoints
HELD_LOSS, HELD_ANSWERS = 8, 8  # papers; answers are slow to write, so only at the end
LOGGED = 10  # steps
COLUMNS = ["step", "lessons", "seconds", "rate", "loss", "eval_loss", "right", "right_if_told"]
COLUMNS += ["wrongly_refused", "refused", "words"]


class Run:
    """A model with its adapter in training: where it stands, and what was measured."""

    def __init__(self, model: Any, out: Path, rate: float) -> None:
        self.model = model
        self.weights: dict[str, Tensor] = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(self.weights.values(), lr=rate, weight_decay=0.0)
        self.step, self.lessons, self.seconds = 0, 0, 0.0
        self.log: list[dict[str, float]] = []
        self._file = out / "checkpoint.safetensors"
        self._out = out

    def keep(self) -> None:
        """Weights, the optimiser's state and the place, in one file that is there whole or not at all."""
        from safetensors.torch import save_file

        tensors = {name: weight.detach().contiguous() for name, weight in self.weights.items()}
        for name, weight in self.weights.items():
            for key, value in self.optimizer.state[weight].items():
                tensors[f"{name}|{key}"] = value.contiguous()
        place = {"step": self.step, "lessons": self.lessons, "seconds": self.seconds, "log": self.log}
        partial = self._file.with_suffix(".partial")
        save_file(tensors, partial, metadata={"place": json.dumps(place)})
        os.replace(partial, self._file)

    def go_on(self) -> None:
        """Take up what was kept, if anything was."""
        from safetensors import safe_open

        if not self._file.is_file():
            return
        with safe_open(self._file, "pt") as kept:
            for name, weight in self.weights.items():
                weight.data.copy_(kept.get_tensor(name))
                state = ("step", "exp_avg", "exp_avg_sq")
                self.optimizer.state[weight] = {key: kept.get_tensor(f"{name}|{key}") for key in state}
            place = json.loads(kept.metadata()["place"])
        self.step, self.lessons, self.seconds = place["step"], place["lessons"], place["seconds"]
        self.log = place["log"]

    def begin_from(self, shipped: Path) -> None:
        """Take the adapter that `training.ship` wrote, as far as its int8 steps tell it."""
        from safetensors.torch import load_file

        kept = load_file(shipped)
        for name, weight in self.weights.items():
            weight.data.copy_(unpacked(kept, name, SCALING))

    def note(self, **measured: float) -> None:
        """One more point of the curve."""
        row = {"step": self.step, "lessons": self.lessons, "seconds": round(self.seconds)} | measured
        self.log.append(row)
        print(row, flush=True)
        with (self._out / "curve.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.log)


def adapted(folder: Path) -> Any:
    """The model in bfloat16 with fresh float32 adapters on its upper layers."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    top = model.config.num_hidden_layers
    config = LoraConfig(
        r=RANK,
        lora_alpha=SCALING * RANK,
        target_modules=MATRICES,
        layers_to_transform=list(range(max(0, top - TRAINED), top)),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model.to("cuda" if torch.cuda.is_available() else "cpu"), config)


def rate_at(step: int, progress: float) -> float:
    """The share of the highest rate: up over the first steps, then down as a cosine."""
    return min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def polite_threads(now: int) -> int:
    """Two threads while nobody else wants the processor, one beside other work."""
    others = os.getloadavg()[0] - now
    return 2 if others < (0.6 if now == 2 else 0.35) else 1


def train(run: Run, speller: Speller, sheets: Sequence[Sheet], held: Sequence[Sheet], arguments: Any) -> None:
    """Step by step to the end of the lessons or of the minutes."""
    steps = math.ceil(len(sheets) / arguments.batch)
    begun = time.monotonic() - run.seconds
    kept_at, threads, losses = run.seconds, torch.get_num_threads(), []
    while True:
        run.seconds = time.monotonic() - begun
        progress = max(run.step / steps, run.seconds / (60 * arguments.minutes))
        if progress >= 1:
            break
        if arguments.polite:
            threads = polite_threads(threads)
            torch.set_num_threads(threads)
        rate = arguments.rate * rate_at(run.step, progress)
        chosen = sheets[run.step * arguments.batch : (run.step + 1) * arguments.batch]
        losses.append(_learn(run, speller, chosen, rate))
        run.step += 1
        run.lessons += sum(len(sheet.lessons) for sheet in chosen)
        if run.step % LOGGED == 0:
            run.note(rate=round(rate, 7), loss=round(sum(losses) / len(losses), 4))
            losses = []
        if run.seconds - kept_at > CHECK_SECONDS:
            run.keep()
            kept_at = run.seconds
            measure(run, speller, held, 0)
    run.keep()
    measure(run, speller, held, HELD_ANSWERS)


def _learn(run: Run, speller: Speller, sheets: Sequence[Sheet], rate: float) -> float:
    """One step over a few papers; the weighted mean loss of an answer's token."""
    packs = [speller.pack(sheet).to(run.model.device) for sheet in sheets]
    counted = sum(float(pack.weights.sum()) for pack in packs)
    total = 0.0
    run.model.train()
    for pack in packs:
        with torch.autocast(run.model.device.type, torch.bfloat16):
            loss = (answer_losses(run.model, pack) * pack.weights).sum() / counted
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    torch.nn.utils.clip_grad_norm_(run.weights.values(), 1.0)
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    return total


def measure(run: Run, speller: Speller, held: Sequence[Sheet], written: int) -> None:
    """The held-out loss, and what is written of a few held-out papers."""
    run.model.eval()
    with torch.autocast(run.model.device.type, torch.bfloat16):
        loss = held_out_loss(run.model, (speller.pack(sheet) for sheet in held[:HELD_LOSS]))
        found = [answer for sheet in held[:written] for answer in answers(run.model, speller, sheet)]
    run.note(eval_loss=round(loss, 4), **figures(found))


def keep_adapter(run: Run, out: Path) -> None:
    """The adapter alone, bfloat16, under the names that peft gives it."""
    from safetensors.torch import save_file

    tensors = {name: weight.detach().to("cpu", torch.bfloat16) for name, weight in run.weights.items()}
    about = {"rank": str(RANK), "alpha": str(SCALING * RANK)}
    save_file(tensors, out / "adapter.safetensors", metadata=about)


def main() -> None:
    """Make the lessons, train, keep the adapter and the record."""
    from transformers import AutoTokenizer

    parser = runs.parser(__doc__, seed=SEED, epochs=1, batch=2, rate=4e-4, counted="papers")
    parser.add_argument("--model", type=Path, required=True, help="the base model's folder")
    parser.add_argument("--start", type=Path, help="an adapter as it ships, to go on from")
    parser.add_argument("--minutes", type=float, default=math.inf, help="the rate has fallen by then")
    parser.add_argument("--threads", type=int, default=1, help="two for a machine that does nothing else")
    parser.add_argument("--polite", action="store_true", help="a second thread only on an idle machine")
    arguments = runs.begin(parser, threads=None)
    torch.set_num_threads(arguments.threads)
    speller = Speller(AutoTokenizer.from_pretrained(arguments.model))
    sheets = most_wanted(training_sheets(arguments.data, seed=arguments.seed), arguments.limit)
    held = held_out_sheets(arguments.data, seed=arguments.seed)
    print(len(sheets), "papers,", sum(len(sheet.lessons) for sheet in sheets), "lessons", flush=True)
    run = Run(adapted(arguments.model), arguments.out, arguments.rate)
    run.model.print_trainable_parameters()
    if arguments.start:
        run.begin_from(arguments.start)
    run.go_on()
    train(run, speller, sheets, held, arguments)
    keep_adapter(run, arguments.out)
    runs.keep_record({"papers": len(sheets), "log": run.log}, arguments.out)


if __name__ == "__main__":
    main()
