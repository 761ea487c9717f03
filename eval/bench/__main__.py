"""`python -m eval.bench`: runs the contenders and writes JSON, a table and a plot.

    pip install -c constraints.txt torch==2.13.0 -e '.[bench]'       once: txtai and LlamaIndex
    TRANSFORMERS_VERBOSITY=error python -m eval.bench       all four, each with the threads it takes by itself

Who is not installed is left out, with a note. The four take about 15 minutes on two idle cores with the
defaults (the shipped papers, 12 questions, one round), Citewise and LangChain alone less than half of that.

All have the same papers, questions, two models (float32; Citewise converts them for its own engine), the best
4 papers or pieces, greedy decoding and at most 80 new tokens. What differs is each one's own: splitting,
prompt, store. So answers differ in length, which the row `tokens` tells: compare `first_token` and `decode`
before `answer`. Who imports torch at once pays for it in `imports`, who does so late in `load`: only their
sum compares. LlamaIndex has no call for many questions and gets them one by one in `batch`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eval.bench.contenders import CONTENDERS, REFERENCE, missing
from eval.bench.contenders.base import model_folders
from eval.bench.roofline import bandwidth_gb_s, decode_bound, gemm_gflop_s
from eval.bench.run import Plan, samples
from eval.bench.summary import plot, rows, table
from eval.questions.questions import load
from rag.ingest import corpus_files, read_collection

DEFAULT = "DEFAULT"
_SMOLLM2_INT8_BYTES = 134_515_008 * (1 + 4 / 64)  # a weight, and a scale for each 64 of them


def main(
    corpus: Annotated[str, typer.Option(help="Papers: DEFAULT for the shipped ones, or a file.")] = DEFAULT,
    out: Annotated[Path, typer.Option(help="Folder for bench.json, bench.md and bench.svg.")] = Path("bench"),
    *,
    papers: Annotated[int, typer.Option(min=1, help="Only the first papers.")] = 1_000_000,
    questions: Annotated[int, typer.Option(min=1, help="How many questions.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is asked.")] = 1,
    contenders: Annotated[str, typer.Option(help="Names, with commas.")] = ",".join(CONTENDERS),
) -> None:
    """Measure Citewise beside its peers."""
    names = []
    for name in contenders.split(","):
        if why := missing(name):
            _note(f"{name} is left out: {why}")
        else:
            names.append(name)
    found, _ = read_collection(corpus_files() if corpus == DEFAULT else [Path(corpus)])
    asked = [gold.question.text for gold in load("dev") if gold.answerable][:questions]
    model_folders()  # converted here, once, or it would count as somebody's loading
    plan = Plan(found[:papers], asked, rounds, batch=len(asked))
    report(samples(names, plan, _note), plan, out)


def report(measured: dict[str, dict[str, list[float]]], plan: Plan, out: Path) -> None:
    """Write what was measured, and print the table."""
    lines = rows(measured, REFERENCE)
    bandwidth, products = bandwidth_gb_s(), gemm_gflop_s()
    bound = decode_bound(bandwidth, _SMOLLM2_INT8_BYTES)
    roof = (
        f"Roofline, one thread by CPU time: memory {bandwidth:.1f} GB/s, float32 products {products:.0f}"
        f" GFLOP/s; SmolLM2-135M in int8 can decode at most {bound:.0f} tokens/s a core."
    )
    where = f"{len(plan.papers)} papers, {len(plan.questions)} questions, load {os.getloadavg()[0]:.1f}"
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "where": where,
        "cores": len(os.sched_getaffinity(0)),
        "roofline": {"bandwidth_gb_s": bandwidth, "gemm_gflop_s": products, "int8_decode_bound": bound},
        "rows": [asdict(line) for line in lines],
        "samples": measured,
    }
    (out / "bench.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    text = f"{table(lines)}\n\n{where}\n\n{roof}\n"
    (out / "bench.md").write_text(text, encoding="utf-8")
    (out / "bench.svg").write_text(plot(lines, REFERENCE), encoding="utf-8")
    typer.echo(text)


def _note(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    typer.run(main)
