"""A small fixed slice of the dev questions with the real models: figures may not fall below the floors.

`eval/floors.json` holds the questions, what was measured when the floors were set, and the floors.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.ask.ask import Row
from eval.measure import measures
from eval.questions.questions import Gold, load
from rag.assistant import Assistant
from rag.settings import Settings

pytestmark = pytest.mark.slow

FLOORS = json.loads((Path(__file__).parents[2] / "eval" / "floors.json").read_text(encoding="utf-8"))
SLICES = {"quoted": {"generator": "none"}, "drafted": {}}


def golds_of(name: str) -> list[Gold]:
    """The questions of a slice, in its order."""
    known = {gold.id: gold for gold in load("dev")}
    return [known[one] for one in FLOORS[name]["questions"]]


@pytest.fixture(scope="module", params=list(SLICES))
def asked(request, model_cache: Path) -> tuple[str, list[Row]]:
    golds = golds_of(request.param)
    assistant = Assistant.open(settings=Settings.load(cache_dir=model_cache, **SLICES[request.param]))
    return request.param, list(zip(golds, assistant.answer_many(g.question for g in golds), strict=True))


def test_no_figure_falls_below_its_floor(asked: tuple[str, list[Row]]) -> None:
    name, rows = asked
    measured = measures.overall(rows, [measures.scores_of(*row) for row in rows])
    figures = {measure.name: measure.value for measure in measured}
    floors, ceilings = FLOORS[name]["at_least"], FLOORS[name]["at_most"]
    wrong = [f"{gold.id} {answer.status}" for gold, answer in rows if not measures.is_right(gold, answer)]
    fallen = {n: figures[n] for n, bar in floors.items() if figures[n] is None or figures[n] < bar}
    risen = {n: figures[n] for n, bar in ceilings.items() if figures[n] is None or figures[n] > bar}
    assert not fallen | risen, f"{name}: {fallen | risen} against {floors} {ceilings}; not right: {wrong}"


def test_every_figure_of_the_floors_was_measured_above_them() -> None:
    for name in SLICES:
        found, own = FLOORS[name]["measured"], FLOORS[name]
        assert all(found[measure] >= bar for measure, bar in own["at_least"].items())
        assert all(found[measure] <= bar for measure, bar in own["at_most"].items())
        assert len(set(own["questions"])) == len(own["questions"]) == len(golds_of(name))
