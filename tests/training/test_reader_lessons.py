"""What becomes a lesson: statements, conversations, findings, and which papers never do."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from written_files import group, multi, paper, talk, write

from eval.written.questions import is_validation
from training.asked import Asked, Written, written
from training.examples import Abstract
from training.lessons import NEAR, _beside, _stated, foreign, held_out, is_tenth, talk_sheets
from training.openings import Dialogue, Findings, dialogues, findings
from training.sheets import Lesson, Sheet, most_wanted

pytestmark = pytest.mark.usefixtures("nothing_added")

LAYERS = Asked("p", "numeric", "How many layers?", "It has 24 layers.", "It has 12 layers.")
DATA = Asked("p", "plain", "Which data?", "Two sets of speeches.", None)


def test_an_answer_to_judge_is_the_written_one_or_the_wrong_one() -> None:
    found = {_stated(LAYERS, random.Random(seed)) for seed in range(20)}
    assert found == {
        Lesson("statement", "How many layers?", "Yes.", "It has 24 layers."),
        Lesson("statement", "How many layers?", "No.", "It has 12 layers."),
    }
    silent = Asked("p", "absent", "How fast?", None, "It is fast.")
    found = {_stated(silent, random.Random(seed)) for seed in range(20)}
    assert found == {Lesson("statement", "How fast?", "No.", "It is fast.")}


def test_the_answer_to_another_question_is_no_answer_to_this_one() -> None:
    found = {_beside([LAYERS, DATA], random.Random(seed))[0] for seed in range(20)}
    assert found == {
        Lesson("statement", "How many layers?", "No.", "Two sets of speeches."),
        Lesson("statement", "Which data?", "No.", "It has 24 layers."),
    }


@pytest.mark.parametrize(
    "other",
    [
        Asked("p", "plain", "What is deep?", "There are 24 layers."),  # as right as the written answer
        Asked("p", "absent", "How fast?", None),
        Asked("p", "two_facts", "What and why?", "Speeches, for speed."),  # of no type that tells by itself
    ],
)
def test_what_may_be_right_is_not_called_wrong(other: Asked) -> None:
    assert _beside([LAYERS, other], random.Random(1)) == []


def test_answers_that_share_many_words_are_not_held_against_each_other() -> None:
    alike = Asked("p", "plain", "Which data?", "Speeches of two small old sets.")
    nearly = Asked("p", "plain", "What is read?", "Old small speeches, three times.")
    assert _beside([alike, nearly], random.Random(1)) == []


def test_a_question_of_a_paper_nearby_asks_for_what_this_one_lacks() -> None:
    papers = {
        "a": Abstract("a", "Sparse caches", ("Sparse caches help decoding.",)),
        "b": Abstract("b", "Sparse mixers", ("Sparse mixers reach throughput on graphs.",)),
        "c": Abstract("c", "Soup", ("Soup is hot.",)),
    }
    telling = Asked("b", "plain", "Which throughput do sparse mixers reach on graphs?", "9x.")
    units = {name: name for name in papers}
    found = Written(papers, units, [telling])
    near = foreign(found, list(papers), [telling])
    assert near["a"] == [telling]  # 'sparse' is shared, the rest is lacking
    assert near["b"] == []  # its own question
    assert near["c"] == []  # no word in common
    assert NEAR >= 1
    assert (
        foreign(Written(papers, {**units, "b": "a"}, []), list(papers), [telling])["a"] == []
    )  # of one unit


@pytest.fixture
def data(tmp_path: Path) -> Path:
    papers = [paper("p"), paper("q")]
    return write(
        tmp_path,
        groups=[
            group("g1", papers, type="followup", question="And q?", standalone="How does q do?",
                  history=[{"role": "user", "content": "What of p?"}]),
            group("g2", papers, type="fact"),
        ],
        multi=[
            multi("m1", papers, summary="P is 1, q is 2.", wrong_summary="P is 2, q is 1."),
            multi("m2", papers[:1], summary="P is 1.", wrong_summary="P is 2."),
            multi("m3", papers, summary=None, wrong_summary=None),
        ],
        followups=[
            talk("f1", papers, question="And it?", standalone="And p?"),
            talk("f2", papers, question="What of q?", standalone=None, changed=False),
        ],
    )  # fmt: skip


def test_conversations_are_read_with_what_their_last_question_means(data: Path) -> None:
    found = list(dialogues(data))
    assert [(one.opening.id, one.question, one.standalone) for one in found] == [
        ("f1", "And it?", "And p?"),
        ("f2", "What of q?", "What of q?"),
        ("g1", "And q?", "How does q do?"),
    ]
    assert [turn.content for turn in found[2].opening.turns] == ["What of p?"]
    assert found[0].papers == ("p", "q")


def test_only_what_several_papers_say_is_summed_up(data: Path) -> None:
    (only,) = findings(data)
    assert only.opening == Findings("m1", (("Title p", "Part p."), ("Title q", "Part q.")))
    assert (only.summary, only.wrong) == ("P is 1, q is 2.", "P is 2, q is 1.")


def test_a_follow_up_stands_beside_a_question_that_is_left_alone(data: Path) -> None:
    found = Written({}, {}, [Asked("p", "plain", "Which Data?", "Two.")])
    talks, told = [], []
    for seed in range(20):
        sheets = talk_sheets(data, found, random.Random(seed), lambda papers: True)
        talks += [sheet for sheet in sheets if isinstance(sheet.paper, Dialogue)]
        told += [sheet for sheet in sheets if isinstance(sheet.paper, Findings)]
    for sheet in talks:
        by_type = {lesson.type: lesson for lesson in sheet.lessons}
        assert set(by_type) == {"rewrite", "alone"}
        assert by_type["alone"].question == by_type["alone"].answer
        assert by_type["alone"].question.casefold().endswith("which data?")
    assert {sheet.lessons[0].type for sheet in talks} == {"rewrite", "alone"}  # in either order
    judged = {
        (lesson.proposed, lesson.answer)
        for sheet in told
        for lesson in sheet.lessons
        if lesson.type == "statement"
    }
    assert judged == {("P is 1, q is 2.", "Yes."), ("P is 2, q is 1.", "No.")}


def test_nothing_is_learned_over_papers_that_are_not_wanted(data: Path) -> None:
    found = Written({}, {}, [Asked("p", "plain", "Which Data?", "Two.")])
    assert talk_sheets(data, found, random.Random(1), lambda papers: "p" not in papers) == []


def test_a_unit_validates_for_lessons_where_it_validates_for_measuring(data: Path) -> None:
    names = [f"paper {number}" for number in range(500)]
    assert [is_tenth(name) for name in names] == [is_validation(name) for name in names]
    units = written(data).units
    assert held_out(data) == {name for name, unit in units.items() if is_validation(unit)}


def test_what_is_wanted_most_is_likelier_chosen() -> None:
    plain = [Sheet(Abstract(str(n), "", ()), (Lesson("fact_lexical", "q", "a"),)) for n in range(200)]
    wanted = [Sheet(Abstract(f"w{n}", "", ()), (Lesson("how_why", "q", "a"),)) for n in range(200)]
    assert sorted(s.paper.id for s in most_wanted([*plain, *wanted], None)) == sorted(
        s.paper.id for s in [*plain, *wanted]
    )
    chosen = most_wanted([*plain, *wanted], 200)
    assert len({sheet.paper.id for sheet in chosen}) == 200
    first, second = (sum(sheet in wanted for sheet in half) for half in (chosen[:100], chosen[100:]))
    assert 140 < first + second < 200
    assert abs(first - second) < 30  # none of them tends to come first
