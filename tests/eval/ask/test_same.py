"""Two files of answers compared: what says the same is the same, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_assistant import answer_to

from eval.ask.same import differences
from rag.types import Timings

ANSWER = replace(answer_to("what", "q1", "f" * 16), id="q1")


def test_how_an_answer_was_made_does_not_count():
    later = replace(
        ANSWER, fingerprint="0" * 16, timings=Timings(total_s=9.0), confidence=ANSWER.confidence + 9e-7
    )
    assert list(differences({"q1": ANSWER}, {"q1": later})) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": "Other."}, "text: "),
        ({"status": "quoted"}, "status: "),
        ({"confidence": ANSWER.confidence + 2e-6}, "confidence: "),
        ({"citations": ()}, "citations: "),
        ({"sentences": (replace(ANSWER.sentences[0], support=0.123),)}, "sentences[0].support: "),
    ],
)
def test_what_it_says_does(change, told):
    found = list(differences({"q1": ANSWER}, {"q1": replace(ANSWER, **change)}))
    assert [name for name, _ in found] == ["q1"]
    assert found[0][1].startswith(told)


def test_a_question_that_one_of_them_lacks():
    assert list(differences({"q1": ANSWER}, {"q2": ANSWER})) == [("q1", "only before"), ("q2", "only after")]
