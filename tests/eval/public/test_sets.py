"""The loaders: what of a line becomes what, and what is said of files that do not fit."""

from __future__ import annotations

import gzip

import pytest
from public_files import put

from eval.public import answerability_sets, retrieval_sets, verification_sets
from eval.public.catalogue import SETS
from eval.public.verification_sets import laid_out
from rag.errors import ReadError


@pytest.fixture
def folder(tmp_path):
    return put(tmp_path)


def test_scifact_grades_the_cited_papers(folder):
    found = retrieval_sets.scifact(folder)
    assert [paper.title for paper in found.papers] == ["Monarch Mixer", "Retro-Li", "Natural GaLore"]
    assert [(query.text, query.grades) for query in found.queries] == [
        ("Monarch Mixer is fast", {"m": 1.0}),
        ("optimizer memory is saved", {"g": 1.0, "r": 1.0}),
    ]


def test_pubmedqa_never_gives_a_title(folder):
    found = retrieval_sets.pubmedqa(folder)
    assert {paper.title for paper in found.papers} == {""}
    assert found.queries[0].grades == {"r": 1.0}


def test_cranfield_keeps_its_grades(folder):
    assert retrieval_sets.cranfield(folder).queries[0].grades == {"r": 4.0, "g": 1.0}


def test_only_support_is_supported(folder):
    for load in (verification_sets.healthver, verification_sets.climate_fever):
        assert [pair.supported for pair in load(folder)] == [True, False, False]
    assert [pair.supported for pair in verification_sets.covidfact(folder)] == [True, False]


def test_evidence_is_laid_out_as_at_run_time(folder):
    assert verification_sets.healthver(folder)[0].evidence == "Mixer is fast.\nIt is new."
    assert verification_sets.climate_fever(folder)[0].evidence == "Mixers\nMixer is fast.\nIt is new."
    assert laid_out("As in [3]. So.", "On [1]") == "On ［1］\nAs in ［3］.\nSo."


def test_scifact_pairs_tell_their_level(folder):
    assert verification_sets.scifact_pairs(folder)[1].label == "CONTRADICT, rationale"


def test_wice_joins_lines_and_counts_partial_as_not_supported(folder):
    found = verification_sets.wice(folder)
    assert [(pair.label, pair.supported) for pair in found] == [
        ("SUPPORT", True),
        ("PARTIAL", False),
        ("NOT_SUPPORTED", False),
    ]
    assert found[0].evidence == "a.\nb."


def test_passages_become_papers_once(folder):
    found = answerability_sets.squad2(folder)
    assert len(found.papers) == 1
    assert {asked.paper_id for asked in found.questions} == {found.papers[0].paper_id}
    assert [asked.answerable for asked in found.questions] == [True, False]
    clapnq = answerability_sets.clapnq(folder)
    assert [paper.title for paper in clapnq.papers] == ["Monarch Mixer", "GaLore"]


def test_every_set_has_files_source_and_licence(folder):
    for one in SETS.values():
        assert one.files
        assert one.source
        assert one.licence
        assert one.about
        assert one.missing(folder) == []
        assert one.load(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"pid": "a"}\n', "line 1: `claim`"),
        (b"\n[1]\n", "line 2"),
        (b"{", "line 1: Invalid JSON"),
        (b'{"pid": "a", "claim": "b", "evidence": "c", "label": "MAYBE"}', "line 1: `label`"),
        (b"\n\n", "no line in it"),
        (None, "does not exist"),
    ],
)
def test_a_file_that_does_not_fit_is_told_by_line(folder, content, told):
    path = folder / "verify/healthver_dev.jsonl.gz"
    path.unlink()
    if content is not None:
        path.write_bytes(gzip.compress(content))
    with pytest.raises(ReadError, match="healthver_dev") as caught:
        verification_sets.healthver(folder)
    assert told in caught.value.message
    assert caught.value.hint


def test_a_damaged_archive_is_told(folder):
    path = folder / "verify/covidfact.jsonl.gz"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ReadError, match="damaged"):
        verification_sets.covidfact(folder)


def test_a_query_about_an_unknown_paper_is_told(folder):
    (folder / "pubmedqa/questions_dev.jsonl").write_text('{"qid": "q", "question": "?", "gold_ids": ["x"]}')
    with pytest.raises(ReadError, match="holds no 'x'"):
        retrieval_sets.pubmedqa(folder)
