"""Counts of causes, the worst cases, and the questions two runs differ on."""

from __future__ import annotations

from dataclasses import replace

from eval_rows import gold, reply, say

from eval.measure.failures import SHOWN, agreeing, changes, failures_of, wanted
from eval.measure.items import EvidenceRow, item_of


def item(id, *, answerable=True, status="answered", confidence=0.5, right=False, **known):
    """An item through the real way, then with the verdict the test needs."""
    found = item_of(gold("Alpha", answerable=answerable, **known), reply(say("One."), status=status), {})
    return replace(found, id=id, confidence=confidence, right=right, cause="" if right else f"cause {id[0]}")


def test_causes_are_counted_most_frequent_first():
    found = failures_of([item("b1"), item("a1"), item("a2"), item("c1"), item("x", right=True)])
    assert list(found.causes.items()) == [("cause a", 2), ("cause b", 1), ("cause c", 1)]


def test_wrong_answers_run_from_the_surest_and_refusals_from_the_least_sure():
    found = failures_of(
        [
            item("a", confidence=0.6),
            item("b", confidence=0.9, status="quoted", answerable=False),
            item("c", confidence=0.9),
            item("d", confidence=0.2, status="abstained"),
            item("e", confidence=0.0, status="error"),
            item("f", confidence=1.0, right=True),
        ]
    )
    assert [one.id for one in found.misleading] == ["b", "c", "a"]
    assert [one.id for one in found.withheld] == ["e", "d"]
    assert (found.misleading[0].wanted, found.misleading[0].said) == ("a refusal", "One.")


def test_at_most_so_many_are_shown():
    found = failures_of(item(f"q{n:02}") for n in range(SHOWN + 5))
    assert [one.id for one in found.misleading] == [f"q{n:02}" for n in range(SHOWN)]
    assert found.causes == {"cause q": SHOWN + 5}
    assert failures_of([]).misleading == ()


def test_what_was_wanted_falls_back():
    assert wanted(item("a", answer="Ideal.")) == "Ideal."
    assert wanted(item("a", must=[("5%", "5 %"), ("fast",)])) == "5% or 5 %; fast"
    assert wanted(item("a")) == "Alpha"
    assert wanted(item("a", answerable=False)) == "a refusal"


def test_answers_agree_when_both_refuse_or_both_rest_on_the_same_papers():
    def cited(name: str, status: str, *titles: str):
        return replace(
            item(name), status=status, citations=tuple(EvidenceRow(1, t, "x", 0.0, False) for t in titles)
        )

    first = [cited("a", "answered", "A", "B"), cited("b", "abstained"), cited("c", "quoted", "C"), item("d")]
    second = [cited("a", "quoted", "B", "A", "A"), cited("b", "quoted", "B"), cited("c", "quoted", "D")]
    assert agreeing(first, second) == (1, 3)
    assert agreeing(first, []) == (0, 0)


def test_changes_are_the_questions_of_both_whose_verdict_differs():
    first = [item("a", right=True), item("b"), item("c", right=True), item("d")]
    second = [item("d"), item("c"), item("b", right=True), item("e")]
    assert [(one.first.id, one.first.right, one.second.right) for one in changes(first, second)] == [
        ("b", False, True),
        ("c", True, False),
    ]
