"""The validation collection: a tenth of the written papers, asked the questions of half of them.

    python -m eval.written --data FOLDER -o OUT [--set NAME=VALUE]

Besides, questions of other papers, which the collection lacks. OUT gets `answers.jsonl` (question, reference,
what was shown, verdict) and `table.json`; the index is kept in the cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.written.measure import GROUPS, WrittenResult, shown_words, table
from eval.written.questions import WrittenQuestion, WrittenSets, is_measured, is_validation, read_written
from rag.assistant import Assistant
from rag.index.build import ingest_papers
from rag.index.paper_index import open_index
from rag.ingest import collection_root, open_embedder
from rag.pipeline.assemble import Parts
from rag.settings import Settings
from rag.types import Question

ABSENT = 48  # one in so many questions of papers elsewhere
_ASKED = frozenset().union(*GROUPS.values()) - GROUPS["find"]


def absent_questions(sets: WrittenSets) -> Iterator[WrittenQuestion]:
    """Some questions of one paper that the validation collection lacks, always the same."""
    for question in sets.questions:
        apart = not is_validation(question.unit) and not question.history and len(question.parts) == 1
        drawn = int(hashlib.sha256(question.id.encode()).hexdigest(), 16) % ABSENT == 0
        if apart and drawn and question.type in _ASKED:
            yield question


def open_validation(sets: WrittenSets, settings: Settings) -> Assistant:
    """An assistant over the validation collection, indexed where it is not yet."""
    embedder = open_embedder(settings)
    root = collection_root(settings, "written-validation")
    ingest_papers(
        root, sets.of_units(u for u in set(sets.units.values()) if is_validation(u)), embedder, settings
    )
    return Assistant.over(open_index(root), embedder, settings, Parts())


def ask(assistant: Assistant, asked: Sequence[tuple[WrittenQuestion, bool]]) -> Iterator[WrittenResult]:
    """Every question with its answer, in order."""
    questions = (Question(one.question, one.history, one.id) for one, _ in asked)
    for (one, absent), answer in zip(asked, assistant.answer_many(questions), strict=True):
        yield WrittenResult(one, answer, absent)


def as_row(one: WrittenResult) -> dict[str, Any]:
    """A result for a file that people read."""
    return {
        "id": one.asked.id,
        "type": ("absent " if one.absent else "") + one.asked.type,
        "question": one.asked.question,
        "standalone": one.answer.standalone_question,
        "reference": {paper: part.answer for paper, part in one.asked.parts.items()},
        "status": one.answer.status,
        "text": one.answer.text,
        "confidence": round(one.answer.confidence, 3),
        "right": one.right,
        "parts": round(one.parts_told(), 2) if one.answerable else None,
        "words": shown_words(one.answer),
        "draft": one.answer.trace.draft,
        "dropped": [f"{d.reason}: {d.text}" for d in one.answer.trace.dropped],
        "signals": {name: round(value, 3) for name, value in one.answer.trace.signals.items()},
        "first": [p.paper.paper_id for p in one.answer.passages[:5]],
    }


def main() -> None:
    """Ask, measure, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--limit", type=int, default=None, help="one in so many questions")
    arguments = parser.parse_args()
    settings = Settings.load(answer_cache=0, **dict(pair.split("=", 1) for pair in arguments.set))
    sets = read_written(arguments.data)
    asked = [(one, False) for one in sets.questions if is_measured(one.unit)]
    asked += [(one, True) for one in absent_questions(sets)]
    asked = asked[:: arguments.limit]
    arguments.out.mkdir(parents=True, exist_ok=True)
    results = []
    with (arguments.out / "answers.jsonl").open("w", encoding="utf-8") as file:
        for one in ask(open_validation(sets, settings), asked):
            results.append(one)
            file.write(json.dumps(as_row(one), ensure_ascii=False) + "\n")
            file.flush()
    rows = {
        group: {name: value for name, value in row.items() if not math.isnan(value)}
        for group, row in table(results).items()
    }
    told = json.dumps(rows, indent=1)
    sys.stdout.write(told + "\n")
    (arguments.out / "table.json").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
