"""Drives the contenders in turn: each step for all of them before the next, each question for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.types import Paper

Note = Callable[[str], None]
Measured = dict[str, float]

# Where a figure of one answer or one search belongs, and what it is multiplied by.
_PARTS = {
    "query_embed_s": ("query_embed", 1000.0),
    "dense_s": ("dense", 1000.0),
    "lexical_s": ("lexical", 1000.0),
    "retrieve_s": ("retrieve", 1000.0),
    "first_token_s": ("first_token", 1.0),
    "tokens": ("tokens", 1.0),
    "tokens_per_s": ("decode", 1.0),
    "verify_s": ("verify", 1000.0),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: papers, questions, and how often each question is asked."""

    papers: Sequence[Paper]
    questions: Sequence[str]
    rounds: int
    batch: int


class Worker:
    """A contender in its own process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "eval.bench.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )

    def do(self, step: str, given: object = None) -> Measured:
        """Carry out one step. :raises RuntimeError: if the process died."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"step": step, "given": given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} broke at {step}")
        found: Measured = json.loads(line)
        return found

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def samples(names: Sequence[str], plan: Plan, note: Note) -> dict[str, dict[str, list[float]]]:
    """Every measurement, by contender and stage."""
    workers = [Worker(name) for name in names]
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in names}
    try:
        _prepare(workers, plan, found, note)
        for turn in range(plan.rounds):
            note(f"questions, round {turn + 1} of {plan.rounds}")
            for question in plan.questions:
                for worker in workers:
                    _ask(worker, question, found[worker.name])
        note("batches")
        for worker in workers:
            asked = list(plan.questions)[: plan.batch]
            seen = worker.do("batch", asked)
            found[worker.name]["batch"].append(len(asked) / seen["wall_s"])
            found[worker.name]["batch_cpu"].append(len(asked) / max(seen["cpu_s"], 1e-9))
            found[worker.name]["peak_memory"].append(seen["peak_mb"])
    finally:
        for worker in workers:
            worker.stop()
    return {name: dict(stages) for name, stages in found.items()}


def _prepare(
    workers: Sequence[Worker], plan: Plan, found: dict[str, dict[str, list[float]]], note: Note
) -> None:
    """Import, load and index; then one question that is not measured."""
    papers = [asdict(paper) for paper in plan.papers]
    for step, given in (("imports", None), ("load", None), ("index", papers)):
        for worker in workers:
            note(f"{worker.name}: {step}")
            found[worker.name][step].append(worker.do(step, given)["cpu_s"])
    for worker in workers:
        worker.do("ask", plan.questions[0])


def _ask(worker: Worker, question: str, into: dict[str, list[float]]) -> None:
    seen = worker.do("stages", question)
    answered = worker.do("ask", question)
    into["answer"].append(answered["wall_s"])
    into["answer_cpu"].append(answered["cpu_s"])
    for measured in (seen, answered):
        for name, (stage, times) in _PARTS.items():
            if name in measured:
                into[stage].append(measured[name] * times)
