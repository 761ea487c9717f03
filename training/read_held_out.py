"""A trained reader on papers that validate: what it writes, which answers it calls right, how it ranks.

    python -m training.read_held_out --data FOLDER --model FOLDER --adapter FILE --out FOLDER [--minutes 15]

`--out` gets `answers.jsonl` as it goes (a stopped run leaves what it read) and `figures.json`. `--ranked N`:
N questions before their own paper and its five likest, by words, by how likely the question is of the
paper, and by how unlikely declining is.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.examples import Abstract
from training.lessons import DECLINED, held_out_sheets
from training.packing import LessonParts, Speller, answer_losses, packed
from training.reading import WrittenReply, answers, as_row, figures, says_yes
from training.sheets import Lesson, Sheet

SEED = 20261130
GROUPS = {
    "natural": {"how_why", "result", "define_or_limit"},
    "two-part": {"two_facts", "joined"},
    "numeric": {"numeric"},
    "definition": {"definition", "define_or_limit"},
    "plain": {"plain", "fact_paraphrase", "fact_lexical", "single", "followup", "distractor"},
    "riddles": {"oblique", "oblique_numeric"},
    "a part of several": {"collect", "compare"},
    "unanswerable": {"absent", "near_unanswerable", "unanswerable", "numeric_unanswerable"},
    "of another paper": {"foreign"},
}
PREFIXES = {"a part of several": "multi_", "of another paper": "not_"}
BARS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
RANKED_PAPERS = 6
RANKED_TYPES = GROUPS["natural"] | GROUPS["numeric"] | GROUPS["plain"] | GROUPS["riddles"]


def merged(folder: Path, adapter: Path | None) -> Any:
    """The base with the adapter's steps added, in bfloat16; without an adapter as it comes."""
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if adapter is not None:
        from training.packed_reader import adapted

        model = adapted(folder).float()
        found = model.load_state_dict(
            {name: tensor.float() for name, tensor in load_file(adapter).items()}, strict=False
        )
        if found.unexpected_keys:
            raise ValueError(f"not of this model: {found.unexpected_keys[:3]}")
        model = model.merge_and_unload()
    return model.to(torch.bfloat16).eval()


def in_turn(sheets: Sequence[Sheet]) -> Iterator[Sheet]:
    """Papers of each collection in turn, so that a stopped reading has some of all."""
    kinds: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in sheets:
        types = {lesson.type for lesson in sheet.lessons}
        kinds[next((name for name, own in GROUPS.items() if types & own), "other")].append(sheet)
    for place in range(max(map(len, kinds.values()))):
        yield from (own[place] for own in kinds.values() if place < len(own))


def group_figures(found: Sequence[WrittenReply]) -> dict[str, dict[str, float]]:
    """The figures of each group of types, with how many there were."""
    told: dict[str, dict[str, float]] = {}
    for name, types in GROUPS.items():
        start = PREFIXES.get(name, "\0")
        own = [answer for answer in found if answer.type in types or answer.type.startswith(start)]
        if own:
            told[name] = {"count": len(own)} | figures(own)
    told |= {f"all, bar {bar}": {"count": len(found)} | figures(found, bar) for bar in BARS}
    return told


def judged(model: Any, speller: Speller, sheets: Sequence[Sheet]) -> dict[str, float]:
    """How well "is this answer right?" tells written answers from written wrong ones."""
    from sklearn.metrics import roc_auc_score

    pairs = [(sheet, lesson) for sheet in sheets for lesson in sheet.lessons if lesson.proposed is not None]
    odds = [says_yes(model, speller, sheet, lesson) for sheet, lesson in pairs]
    right = [lesson.answer == "Yes." for _, lesson in pairs]
    called = sum((value > 0) == truth for value, truth in zip(odds, right, strict=True))
    return {
        "count": len(pairs),
        "auc": round(float(roc_auc_score(right, odds)), 3),
        "accuracy": round(called / len(pairs), 3),
    }


def ranked(model: Any, speller: Speller, sheets: Sequence[Sheet], count: int) -> dict[str, Any]:
    """Shares of questions whose own paper comes first, by each score and by sums of them."""
    asked = [(place, one) for place, sheet in enumerate(sheets) for one in sheet.lessons if _rankable(one)]
    asked = random.Random(SEED).sample(asked, min(count, len(asked)))
    likeness = _likeness(sheets, [lesson for _, lesson in asked])
    near = [
        _with(own, np.argsort(-row, kind="stable")) for (own, _), row in zip(asked, likeness, strict=True)
    ]
    scores: dict[tuple[int, int], tuple[float, float]] = {}
    for place in sorted({place for places in near for place in places}):
        wanted = [number for number, places in enumerate(near) if place in places]
        found = _scores(model, speller, sheets[place], [asked[number][1] for number in wanted])
        scores |= {(number, place): score for number, score in zip(wanted, found, strict=True)}
    first: dict[str, list[bool]] = defaultdict(list)
    for number, (own, _) in enumerate(asked):
        places = near[number]
        likely = np.array([scores[number, place][0] for place in places])
        tells = np.array([scores[number, place][1] for place in places])
        by = {"words": likeness[number, places], "question": likely, "not declining": tells}
        by |= {f"question + {weight} not declining": likely + weight * tells for weight in (0.5, 1.0, 2.0)}
        for name, values in by.items():
            first[name].append(places[int(np.argmax(values))] == own)
    return {"count": len(asked)} | {name: round(sum(hits) / len(hits), 3) for name, hits in first.items()}


def _rankable(lesson: Lesson) -> bool:
    return lesson.type in RANKED_TYPES and lesson.answer != DECLINED


def _with(own: int, order: Any) -> list[int]:
    """The likest papers, and the own one among them."""
    rest = [int(place) for place in order if place != own][: RANKED_PAPERS - 1]
    return [*rest, own]


def _likeness(sheets: Sequence[Sheet], lessons: Sequence[Lesson]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    weigh = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    papers = weigh.fit_transform([_words(sheet) for sheet in sheets])
    return (weigh.transform([lesson.question for lesson in lessons]) @ papers.T).toarray()


def _words(sheet: Sheet) -> str:
    paper = sheet.paper
    return " ".join((paper.title, *paper.sentences)) if isinstance(paper, Abstract) else ""


@torch.no_grad()
def _scores(
    model: Any, speller: Speller, sheet: Sheet, lessons: Sequence[Lesson]
) -> list[tuple[float, float]]:
    """Of each question behind this paper: its log-likelihood, and the log-odds of not declining."""
    declined = speller.parts(Lesson("", "", DECLINED)).answer
    asked = [speller.asked(lesson) for lesson in lessons]
    parts = [LessonParts(tokens[:1], tokens[1:] + declined) for tokens in asked]
    losses = answer_losses(model, packed(speller.paper(sheet.paper), parts).to(model.device))
    found = []
    for part in losses.split([len(part.answer) for part in parts]):  # type: ignore[no-untyped-call]
        declining = min(-float(part[-len(declined) :].sum()), -1e-6)
        told = math.log1p(-math.exp(declining))
        found.append((-float(part[: -len(declined)].sum()), told - declining))
    return found


def main() -> None:
    """Read, judge, rank; keep what was written and the figures."""
    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("data", "model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, default=None)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ranked", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    speller = Speller(AutoTokenizer.from_pretrained(arguments.model))
    model = merged(arguments.model, arguments.adapter)
    sheets = held_out_sheets(arguments.data, seed=SEED)
    found: list[WrittenReply] = []
    end = time.monotonic() + 60 * arguments.minutes
    with (arguments.out / "answers.jsonl").open("w", encoding="utf-8") as file:
        for sheet in in_turn(sheets):
            if time.monotonic() > end:
                break
            rows = answers(model, speller, sheet)
            found += rows
            file.writelines(json.dumps(as_row(row), ensure_ascii=False) + "\n" for row in rows)
            file.flush()
    told: dict[str, Any] = {"answers": group_figures(found)}
    _keep(told, arguments.out)
    if arguments.ranked:
        told["ranked"] = ranked(model, speller, sheets, arguments.ranked)
        _keep(told, arguments.out)
        told["judged"] = judged(model, speller, sheets)
        _keep(told, arguments.out)


def _keep(told: dict[str, Any], out: Path) -> None:
    text = json.dumps(told, indent=1)
    print(text, flush=True)
    (out / "figures.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
