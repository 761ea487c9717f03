"""Figures of answers to written questions, each counted by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from eval_rows import ALPHA, BETA, cite, reply, say

from eval.written.__main__ import as_row
from eval.written.measure import ABSENT, WrittenResult, shown_words, table, text_on
from eval.written.questions import WrittenPart, WrittenQuestion
from rag.types import Abstention, Answer, Paper, Sentence, Timings, Turn

ON_ALPHA, ON_BETA = cite(1, ALPHA, "One is 5%."), cite(2, BETA, "Four is 7%.")
FIVE, SEVEN = WrittenPart("One is 5%."), WrittenPart("Four is 7%.")


def asked(type: str = "plain", **parts: WrittenPart) -> WrittenQuestion:
    return WrittenQuestion("q", "abstract_qa", type, "Who?", "a", ("a",), parts)


def shown(*sentences: Sentence, papers: tuple[Paper, ...] = (ALPHA, BETA), **other: object) -> Answer:
    return reply(*sentences, citations=[ON_ALPHA, ON_BETA], papers=papers, **other)


REFUSED = replace(
    reply(status="abstained", text="No."), abstention=Abstention("low_confidence", "No.", ()), confidence=0.2
)
TOLD = shown(say("One is 5%.", 1))


def test_what_is_told_of_a_paper_are_the_sentences_that_cite_it_and_its_title() -> None:
    answer = shown(say("One is 5%.", 1), say("Both grow.", 1, 2), say("Four is 7%.", 2))
    assert text_on(answer, "a") == "One is 5%. Both grow. Alpha"
    assert text_on(answer, "b") == "Both grow. Four is 7%. Beta"
    assert text_on(answer, "c") == text_on(REFUSED, "a") == ""
    assert shown_words(answer) == 8


@pytest.mark.parametrize(
    ("parts", "answer", "right"),
    [
        ({"a": FIVE}, TOLD, True),
        ({"a": FIVE}, shown(say("One is 6%.", 1)), False),
        ({"a": FIVE}, shown(say("One is 5%.", 2)), False),  # rightly told, wrongly cited
        ({"a": FIVE}, shown(say("One is 5%.", 1), status="quoted"), True),
        ({"a": FIVE}, REFUSED, False),
        ({"a": FIVE, "b": SEVEN}, TOLD, True),  # half of the parts
        ({"a": FIVE, "b": SEVEN, "c": WrittenPart("Five is odd.")}, TOLD, False),
        ({}, TOLD, False),
        ({"a": FIVE}, shown(say("One is 5%." + " so" * 77, 1)), True),  # 80 words
        ({"a": FIVE}, shown(say("One is 5%." + " so" * 78, 1)), False),
    ],
)
def test_right_is_told_rightly_cited_and_short(
    parts: dict[str, WrittenPart], answer: Answer, right: bool
) -> None:
    assert WrittenResult(asked(**parts), answer).right is right
    assert not WrittenResult(asked(**parts), answer, absent=True).right


def test_of_one_paper() -> None:
    found = table(
        [
            WrittenResult(asked("plain", a=FIVE), TOLD),
            WrittenResult(asked("numeric", a=FIVE), shown(say("Six.", 2), papers=(BETA, ALPHA))),
            WrittenResult(asked("how_why", a=FIVE), replace(TOLD, status="quoted")),
            WrittenResult(asked("find", a=FIVE), replace(REFUSED, passages=TOLD.passages[1:])),
        ]
    )
    assert found["one paper"] == {
        "count": 4,
        "right within 80 words": 0.5,
        "own words": pytest.approx(2 / 3),  # of the three that show something
        "refused": 0.25,
        "words": pytest.approx(7 / 3),
        "first": 0.5,
        "within five": 0.75,
        "cited": 0.75,
    }
    assert [found[kind]["count"] for kind in ("plain", "numeric", "natural", "find", "oblique")] == [
        1, 1, 1, 1, 0,
    ]  # fmt: skip
    assert (found["plain"]["right within 80 words"], found["numeric"]["right within 80 words"]) == (1.0, 0.0)
    assert math.isnan(found["oblique"]["right within 80 words"])


def test_of_several_papers_each_part_counts_and_no_group_holds_them() -> None:
    both = shown(say("One is 5%.", 1), say("Four is 7%.", 2))
    several = asked("plain", a=FIVE, b=SEVEN)
    found = table([WrittenResult(several, answer) for answer in (both, TOLD, REFUSED, TOLD)])
    assert found["several papers"] == {
        "count": 4,
        "parts told": 0.5,
        "all parts told": 0.25,
        "words": 4.0,
        "own words": 1.0,
    }
    assert found["plain"]["count"] == found["one paper"]["count"] == 0


def test_what_nothing_answers_is_to_be_refused() -> None:
    found = table(
        [
            WrittenResult(asked("absent"), REFUSED),
            WrittenResult(asked("absent"), TOLD),
            WrittenResult(asked("plain", a=FIVE), REFUSED, absent=True),
        ]
    )
    assert found["near misses"] == {"count": 2, "refused": 0.5}
    assert found[ABSENT] == {"count": 1, "refused": 1.0}
    assert found["one paper"]["count"] == 0


def test_follow_ups_are_counted_by_themselves() -> None:
    def followed(standalone: str, answer: Answer, **parts: WrittenPart) -> WrittenResult:
        one = replace(asked("pronoun", **parts), history=(Turn("user", "Hm?"),), standalone=standalone)
        return WrittenResult(one, answer)

    found = table(
        [
            followed("What is Alpha?", TOLD, a=FIVE),
            followed("What is Beta?", TOLD, b=SEVEN),
            followed("What is nothing?", REFUSED),
            followed("Who?", replace(TOLD, standalone_question="WHO?"), a=FIVE),
            followed("Who?", replace(TOLD, standalone_question="Who is it?"), a=FIVE),
        ]
    )
    assert found["follow-ups"] == {
        "count": 5,
        "first": 0.5,
        "right within 80 words": 0.5,
        "left alone": 0.5,
        "to be left alone": 2,
    }
    assert found["one paper"]["count"] == 0


def test_over_all_confidence_is_held_against_what_is_right() -> None:
    sure = replace(TOLD, confidence=0.9, timings=Timings(total_s=2.0))
    wrong = replace(shown(say("One is 6%.", 1)), confidence=0.3, timings=Timings(total_s=4.0))
    found = table(
        [
            WrittenResult(asked(a=FIVE), sure),
            WrittenResult(asked(a=FIVE), wrong),
            WrittenResult(asked(a=FIVE), REFUSED),  # shows nothing that could be wrong
        ]
    )
    # .9 is right, .3 wrong: (|1 - .9| + |0 - .3|) / 2
    assert found["all"] == {"count": 3, "ECE against right": pytest.approx(0.2), "seconds": 2.0}


def test_a_row_that_people_read() -> None:
    row = as_row(WrittenResult(asked("plain", a=FIVE, c=WrittenPart("Five is odd.")), TOLD))
    assert json.loads(json.dumps(row)) == row
    assert (row["type"], row["question"], row["status"]) == ("plain", "Who?", "answered")
    assert row["reference"] == {"a": "One is 5%.", "c": "Five is odd."}
    assert (row["right"], row["parts"], row["words"], row["first"]) == (True, 0.5, 3, ["a", "b"])
    absent = as_row(WrittenResult(asked("plain", c=WrittenPart("Five is odd.")), TOLD, absent=True))
    assert (absent["type"], absent["right"], absent["parts"]) == ("absent plain", False, None)
