"""Which of the papers that were drafted from are shown."""

from __future__ import annotations

import pytest
from fakes import texts_of

from rag.pipeline.answering import answering, doubted
from rag.types import Draft, Evidence, Kind, Paper, PreparedQuestion, Question, Sentence
from rag.verify.grounding import Grounded

ONE, TWO, THREE = (Paper(name, name.title(), f"{name.title()} is 5.") for name in ("one", "two", "three"))
EVIDENCE = tuple(Evidence(key, paper, 0, 9, 0.9) for key, paper in enumerate((ONE, TWO, THREE), start=1))
TEXTS = texts_of(ONE, TWO, THREE)


def stood(*rights: float | None) -> list[Grounded]:
    """A sentence of each draft, judged so."""
    return [
        Grounded((Sentence(f"Paper {key} tells.", (key,), 0.9),), (), right)
        for key, right in enumerate(rights, start=1)
    ]


@pytest.mark.parametrize(
    ("rights", "out"),
    [
        ((2.0, 0.0, -0.1), [False, False, True]),  # best 2: the bar is 0
        ((0.5, -0.5, -0.6), [False, False, True]),  # best .5: a nat below it is -.5
        ((-1.0, -2.0, -2.1), [False, False, True]),
        ((-3.0, 1.0, 1.0), [True, False, False]),  # the first is no exception
        ((-5.0,), [False]),  # the only one is not left out for being doubted
        ((None, None), [False, False]),
        ((), []),
    ],
)
def test_a_paper_is_left_out_that_is_doubted_and_far_behind(
    rights: tuple[float | None, ...], out: list[bool]
) -> None:
    assert doubted(stood(*rights)) == out


def answered(kind: Kind, *rights: float) -> tuple[PreparedQuestion, list[Grounded]]:
    evidence = EVIDENCE[: len(rights)]
    prepared = PreparedQuestion(Question("q"), "q", kind, (), evidence, 0.9, texts=TEXTS)
    drafts = [Draft("", (item,), TEXTS[item.paper.paper_id]) for item in evidence]
    return answering(prepared, drafts, stood(*rights))


def test_what_is_left_out_is_no_evidence_and_is_dropped_with_a_reason() -> None:
    prepared, checked = answered("collect", 2.0, -1.0, 1.0)
    assert [item.key for item in prepared.evidence] == [1, 3]
    assert prepared.kind == "collect"
    assert [len(one.kept) for one in checked] == [1, 0, 1]
    (dropped,) = checked[1].dropped
    assert (dropped.text, dropped.support) == ("Paper 2 tells.", 0.9)
    assert "doubts" in dropped.reason


def test_where_one_paper_is_left_it_is_a_fact() -> None:
    prepared, checked = answered("compare", -1.0, 2.0)
    assert (prepared.kind, [item.key for item in prepared.evidence]) == ("fact", [2])
    assert [len(one.kept) for one in checked] == [0, 1]


def test_where_all_answer_nothing_changes() -> None:
    prepared, checked = answered("compare", 1.0, 2.0)
    assert (prepared.kind, len(prepared.evidence)) == ("compare", 2)
    assert checked == stood(1.0, 2.0)
