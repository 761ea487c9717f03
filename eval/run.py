"""Asks the question set and prints what was right.

    python -m eval.run [--split dev] [--quotes-only] [--set NAME=VALUE ...] [--out FILE.jsonl]

`--quotes-only` skips the generator: retrieval, evidence and abstention are measured in a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from eval import metrics
from eval.questions import Gold, load
from rag.assistant import Assistant
from rag.settings import Settings
from rag.types import Answer

Row = tuple[Gold, Answer]


def table(rows: list[Row]) -> dict[str, dict[str, float]]:
    """The measures by question type, and over all answerable and unanswerable ones."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for gold, answer in rows:
        groups[gold.type].append((gold, answer))
        groups["ANSWERABLE" if gold.answerable else "UNANSWERABLE"].append((gold, answer))
    return {name: measures(members) for name, members in sorted(groups.items())}


def measures(rows: list[Row]) -> dict[str, float]:
    """Every measure of one group."""
    answered = [(g, a) for g, a in rows if not metrics.is_refusal(a)]
    return {
        "n": len(rows),
        "r@1": metrics.mean([metrics.recall_at(g, a, 1) for g, a in rows]),
        "r@5": metrics.mean([metrics.recall_at(g, a, 5) for g, a in rows]),
        "evidence": metrics.mean([metrics.evidence_recall(g, a) for g, a in answered]),
        "refused": metrics.mean([metrics.is_refusal(a) for _, a in rows]),
        "correct": metrics.mean([metrics.is_correct(g, a) for g, a in rows]),
        "right_cite": metrics.mean([metrics.has_right_citation(g, a) for g, a in rows]),
        "cite_prec": metrics.mean([metrics.title_precision(g, a) for g, a in answered]),
        "answered": metrics.mean([a.status == "answered" for _, a in rows]),
        "words": metrics.mean([len(a.text.split()) for _, a in answered]),
    }


def show(found: dict[str, dict[str, float]]) -> None:
    """A table on standard output."""
    names = list(next(iter(found.values())))
    print("type".ljust(18), *(name.rjust(10) for name in names))  # noqa: T201
    for group, values in found.items():
        cells = (f"{v:10d}" if isinstance(v, int) else f"{v:10.3f}" for v in values.values())
        print(group.ljust(18), *cells)  # noqa: T201


def main() -> None:
    """Ask, measure, print, and keep every answer for a look."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="dev", choices=["dev", "test"])
    parser.add_argument("--quotes-only", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    overrides: dict[str, object] = dict(pair.split("=", 1) for pair in arguments.set)
    if arguments.quotes_only:
        overrides["generator"] = "none"
    golds = load(arguments.split)
    assistant = Assistant.open(settings=Settings.load(**overrides))
    began = time.perf_counter()
    answers = []
    for number, answer in enumerate(assistant.answer_many(g.question for g in golds), start=1):
        answers.append(answer)
        if number % 20 == 0:
            print(f"{number}/{len(golds)} {time.perf_counter() - began:.0f} s", file=sys.stderr)  # noqa: T201
    rows = list(zip(golds, answers, strict=True))
    show(table(rows))
    print(f"{(time.perf_counter() - began) / len(golds):.2f} s a question")  # noqa: T201
    if arguments.out:
        with arguments.out.open("w", encoding="utf-8") as file:
            for gold, answer in rows:
                file.write(json.dumps(_record(gold, answer), ensure_ascii=False) + "\n")


def _record(gold: Gold, answer: Answer) -> dict[str, object]:
    return {
        "type": gold.type,
        "correct": metrics.is_correct(gold, answer),
        "must": gold.must,
        "titles": gold.titles,
        "gold_answer": gold.answer,
        "kind": answer.trace.kind,
        "draft": answer.trace.draft,
        "dropped": [(d.text, d.reason, round(d.support, 3)) for d in answer.trace.dropped],
        "evidence": [(e.key, e.paper.title, e.text, round(e.score, 3)) for e in answer.trace.evidence],
        **answer.to_dict(),
    }


if __name__ == "__main__":
    main()
