"""Written questions read from tiny files: what each paper contributes, and which units validate."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from written_files import group, multi, numeric, paper, single, talk, write

from eval.written.__main__ import ABSENT, absent_questions
from eval.written.questions import (
    WrittenPart,
    WrittenQuestion,
    WrittenSets,
    is_measured,
    is_validation,
    measured,
    read_written,
)
from rag.errors import ReadError
from rag.types import Paper, Turn

P, Q, R, S = (paper(name) for name in "pqrs")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        papers=[P, Q],
        qa=[single("q1", "p"), single("q2", "q", type="absent", answer=None)],
        oblique_papers=[R],
        oblique=[single("o1", "r", evidence=[0, 1])],
        natural_papers=[P],
        natural=[single("n1", "p")],
        numeric=[numeric("m1", S)],
        groups=[
            group("g1", [Q, paper("x")], standalone="Which of both?"),
            group("g2", [paper("y"), paper("z")], history=[{"role": "user", "content": "Hm?"}]),
        ],
        multi=[multi("u1", [R, paper("v")], type="collect"), multi("u2", [paper("w")], summary=None)],
        followups=[talk("f1", [P, Q]), talk("f2", [paper("t")], changed=False, papers=[], answer=None)],
    )


def by_id(sets: WrittenSets) -> dict[str, WrittenQuestion]:
    return {one.id: one for one in sets.questions}


def test_papers_are_known_once_in_file_order_with_their_sentences(data: Path) -> None:
    sets = read_written(data)
    assert list(sets.papers) == ["p", "q", "r", "s", "x", "y", "z", "v", "w", "t"]
    assert sets.papers["p"] == Paper("p", "Title p", "First of p. Second of p.")
    assert sets.sentences["p"] == ("First of p.", "Second of p.")
    assert sets.of_units({"s", "p"}) == [sets.papers["p"], sets.papers["s"]]


def test_a_group_belongs_to_the_unit_of_its_first_paper(data: Path) -> None:
    units = read_written(data).units
    assert units == {
        "p": "p", "q": "q", "r": "r", "s": "s", "x": "q", "y": "y", "z": "y", "v": "r", "w": "w", "t": "t",
    }  # fmt: skip


def test_questions_come_in_file_order_and_stay_with_their_source(data: Path) -> None:
    found = [(one.id, one.source, one.type, one.unit) for one in read_written(data).questions]
    assert found == [
        ("q1", "abstract_qa", "plain", "p"),
        ("q2", "abstract_qa", "absent", "q"),
        ("o1", "abstract_qa_oblique", "plain", "r"),
        ("n1", "abstract_qa_natural", "plain", "p"),
        ("m1", "abstract_qa_numeric", "numeric", "s"),
        ("g1", "abstract_qa_groups", "fact", "q"),
        ("g2", "abstract_qa_groups", "fact", "y"),
        ("u1", "abstract_qa_multi", "collect", "r"),
        ("u2", "abstract_qa_multi", "collect", "w"),
        ("f1", "followups", "pronoun", "p"),
        ("f2", "followups", "pronoun", "t"),
    ]


def test_what_each_paper_contributes(data: Path) -> None:
    own = by_id(read_written(data))
    assert own["q1"].parts == {"p": WrittenPart("It is 2.", ("Second of p.",))}
    assert own["q2"].parts == {}
    assert own["o1"].parts == {"r": WrittenPart("It is 2.", ("First of r.", "Second of r."))}
    assert own["g1"].parts == {
        "q": WrittenPart("Told 0.", ("First of q.",)),
        "x": WrittenPart("Told 1.", ("Second of x.",)),
    }
    assert own["u1"].parts == {
        "r": WrittenPart("Part r.", ("First of r.",)),
        "v": WrittenPart("Part v.", ("First of v.",)),
    }
    assert (own["u1"].summary, own["u2"].summary, own["u1"].several) == ("All.", None, True)
    assert own["f1"].parts == {"p": WrittenPart("Yes.")}
    assert own["f2"].parts == {}
    assert [one.several for one in (own["q1"], own["q2"], own["f1"])] == [False, False, False]


def test_a_sentence_that_two_papers_carry_is_told_of_both(tmp_path: Path) -> None:
    shared = [{"text": "Both do.", "evidence": [[0, 0], [1, 1]]}, {"text": "One does.", "evidence": [[1, 0]]}]
    data = write(tmp_path, groups=[group("g", [P, Q], answer_sentences=shared, evidence=[[0, 0], [1, 1]])])
    (one,) = read_written(data).questions
    assert {key: part.answer for key, part in one.parts.items()} == {
        "p": "Both do.",
        "q": "Both do. One does.",
    }


def test_a_follow_up_knows_what_it_means_alone(data: Path) -> None:
    own = by_id(read_written(data))
    said = (Turn("user", "Before?"), Turn("assistant", "That."))
    assert (own["f1"].history, own["f1"].question, own["f1"].standalone) == (said, "And it?", "And p?")
    assert own["f2"].standalone == own["f2"].question == "And it?"  # to be left alone
    assert (own["g1"].history, own["g1"].standalone) == ((), "Which of both?")
    assert own["g2"].history == (Turn("user", "Hm?"),)
    assert (own["q1"].history, own["q1"].standalone) == ((), "")


def test_a_tenth_validates_and_half_of_that_measures() -> None:
    names = [f"arxiv:2501.{number:05}" for number in range(4000)]
    validating = [name for name in names if is_validation(name)]
    measuring = [name for name in names if is_measured(name)]
    assert 0.08 < len(validating) / len(names) < 0.12
    assert 0.4 < len(measuring) / len(validating) < 0.6
    assert set(measuring) < set(validating)


NAMES = [f"n{number}" for number in range(300)]


def test_only_questions_of_measured_units_measure(tmp_path: Path) -> None:
    papers = [paper(name) for name in NAMES]
    sets = read_written(write(tmp_path, papers=papers, qa=[single(f"q-{n}", n) for n in NAMES]))
    assert [one.unit for one in measured(sets)] == [name for name in NAMES if is_measured(name)]


def test_some_questions_of_papers_elsewhere_are_asked_as_well_and_always_the_same(tmp_path: Path) -> None:
    papers = [paper(name) for name in NAMES]
    kinds = {"plain": {}, "find": {"type": "find"}, "absent": {"type": "absent", "answer": None}}
    asked = [
        single(f"{kind}-{n}-{copy}", n, **other)
        for n in NAMES
        for kind, other in kinds.items()
        for copy in range(10)
    ]
    sets = read_written(write(tmp_path, papers=papers, qa=asked))
    found = list(absent_questions(sets))
    assert {one.type for one in found} == {"plain"}  # what is sought, or not told, tells nothing here
    assert not any(is_validation(one.unit) for one in found)
    elsewhere = sum(not is_validation(name) for name in NAMES) * 10
    assert 0.5 < len(found) * ABSENT / elsewhere < 1.7
    assert [one.id for one in found] == [one.id for one in absent_questions(sets)]


def test_a_missing_or_a_damaged_file_is_our_error(data: Path) -> None:
    (data / "followups.jsonl.gz").write_bytes(gzip.compress(b"{}")[:-6])
    with pytest.raises(ReadError):
        read_written(data)
    (data / "followups.jsonl.gz").unlink()
    with pytest.raises(ReadError, match="followups"):
        read_written(data)
