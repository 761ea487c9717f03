"""Question files: what is read, what is refused and in which words; the shipped set holds together."""

from __future__ import annotations

import json

import pytest

from eval.questions import check
from eval.questions.questions import digest, load
from rag.errors import QuestionFileError
from rag.types import Paper, Turn

PAPER = Paper("p1", "A Title", "We do this. It is 12% better.")
WHOLE = {
    "id": "q1",
    "type": "fact",
    "question": "How much better?",
    "history": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
    "standalone": "How much better is it?",
    "titles": ["A Title"],
    "evidence": [{"title": "A Title", "text": "It is 12% better."}],
    "answer": "12%",
    "must": [["12%", "12 percent"]],
    "answerable": True,
    "split": "dev",
    "note": "easy",
}


def written(tmp_path, *records, name="q.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return path


def test_every_field_arrives(tmp_path):
    (gold,) = load(files=[written(tmp_path, WHOLE)])
    assert gold.id == "q1"
    assert gold.question.history == (Turn("user", "hi"), Turn("assistant", "hello"))
    assert gold.evidence == (("A Title", "It is 12% better."),)
    assert gold.must == (("12%", "12 percent"),)
    assert (gold.type, gold.split, gold.answerable, gold.answer) == ("fact", "dev", True, "12%")


def test_id_and_question_are_enough_and_belong_to_every_split(tmp_path):
    path = written(tmp_path, {"id": "1", "question": "Why?"}, "", {**WHOLE, "split": "test"})
    assert [gold.id for gold in load("dev", [path])] == ["1"]
    assert [gold.id for gold in load("test", [path])] == ["1", "q1"]
    assert [gold.id for gold in load("all", [path])] == ["1", "q1"]
    assert load("dev", [path])[0].type == "question"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: Invalid JSON"),
        ("[]", "line 2: Input should be an object"),
        ({"question": "Why?"}, "line 2: `id`: Field required"),
        ({"id": "x"}, "line 2: `question`: Field required"),
        ({"id": " ", "question": "Why?"}, "`id`: String should have at least 1 character"),
        ({"id": 3, "question": "Why?"}, "`id`: Input should be a valid string"),
        ({**WHOLE, "id": "x", "qestion": "typo"}, "`qestion`: Extra inputs are not permitted"),
        ({**WHOLE, "id": "x", "must": ["12%"]}, "`must.0`: Input should be a valid array"),
        ({**WHOLE, "id": "x", "must": [[]]}, "`must.0`: List should have at least 1 item"),
        ({**WHOLE, "id": "x", "split": "train"}, "`split`: Input should be 'dev', 'test'"),
        ({**WHOLE, "id": "x", "answerable": "no"}, "`answerable`: Input should be a valid boolean"),
        ({**WHOLE, "id": "x", "history": [{"role": "system", "content": ""}]}, "`history.0.role`"),
        (WHOLE, 'id "q1" is used twice'),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path, line, told):
    with pytest.raises(QuestionFileError) as caught:
        load(files=[written(tmp_path, WHOLE, line)])
    assert told in caught.value.message


def test_many_faults_are_told_together_and_cut(tmp_path):
    with pytest.raises(QuestionFileError, match=r"line 5: .*\nand 3 more"):
        load(files=[written(tmp_path, *["{"] * 8)])


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b""])
def test_missing_undecodable_and_empty_files_are_refused(tmp_path, content):
    path = tmp_path / "q.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuestionFileError, match=r"q\.jsonl"):
        load(files=[path])


def test_the_digest_sees_every_change(tmp_path):
    first = digest(load(files=[written(tmp_path, WHOLE)]))
    assert first == digest(load(files=[written(tmp_path, {**WHOLE, "note": "other"})]))
    assert first != digest(load(files=[written(tmp_path, {**WHOLE, "must": [["13%"]]})]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"titles": ["Other"], "evidence": []}, "no paper has the title 'Other'"),
        ({"evidence": [{"title": "A Title", "text": "It is 13% better."}]}, "not verbatim"),
        ({"evidence": [{"title": "B", "text": "It"}]}, "no gold title"),
        ({"must": [["13%"]]}, "contains any of ['13%']"),
        ({"must": []}, "nothing a right answer must contain"),
        ({"evidence": []}, "no evidence"),
        ({"titles": []}, "no gold title"),
        ({"answerable": False}, "unanswerable, yet with evidence"),
        ({"standalone": None}, "no standalone question"),
    ],
)
def test_the_checker_finds_what_does_not_fit_the_papers(tmp_path, change, told):
    golds = load(files=[written(tmp_path, {**WHOLE, **change})])
    assert [fault for fault in check.faults(golds, [PAPER]) if told in fault]


def test_the_checker_reads_cleaned_text_and_titles_too(tmp_path):
    paper = Paper("p", "FastNet", "It is 9.1times faster.")
    record = {
        **WHOLE,
        "titles": ["FastNet"],
        "evidence": [{"title": "FastNet", "text": "It is 9.1times faster."}],
        "must": [["9.1x", "9.1×"], ["fastnet"]],
    }
    assert check.faults(load(files=[written(tmp_path, record)]), [paper]) == []


def test_splits_follow_the_places_of_the_papers(tmp_path):
    golds = load(files=[written(tmp_path, WHOLE)])
    other = Paper("p0", "Before", "Text.")
    assert check.split_faults(golds, [PAPER]) == []
    assert check.split_faults(golds, [other, PAPER]) == [
        "q1: 'A Title' stands at place 1, which is not 'dev'"
    ]


def test_the_shipped_questions_are_consistent():
    from rag.ingest import corpus_files, read_collection

    papers, _ = read_collection(corpus_files())
    golds = load()
    assert check.faults(golds, papers) == []
    assert check.split_faults(golds, papers) == []


def test_the_shipped_questions_are_many_and_of_every_kind():
    golds = load()
    kinds = [gold.type for gold in golds]
    facts = {t for g in golds if g.type.startswith("fact") for t in g.titles}
    assert len(golds) >= 240
    assert len(facts) >= 120
    assert kinds.count("near_unanswerable") >= 40
    assert kinds.count("far") >= 20
    assert {"find", "definition", "compare", "collect", "followup", "typo", "keyword", "injection"} <= {
        *kinds
    }
    assert {gold.split for gold in golds} == {"dev", "test"}
