"""Public sets from a folder to results, over fakes for the models: kept, resumed, skipped, refused."""

from __future__ import annotations

import json

import pytest
from fakes import fake_embedder
from public_files import FILES, put

from eval.public.catalogue import SETS
from eval.public.results import earlier, kept_sets, read_set, save_set
from eval.public.run import PublicRun, measure_sets
from eval.public.subject import HYBRID, SHIPPED, Subject, rankings
from rag.errors import ReadError
from rag.settings import Settings


class Heard:
    """Everything that was told of progress."""

    def __init__(self):
        self.told = []

    def __call__(self, stage, done, total):
        self.told.append((stage, done, total))


def subject(**settings):
    return Subject(Settings.load(**settings), fake_embedder(), Heard())


def order(folder, output, *names, limit=None, date="2026-01-02"):
    return PublicRun(folder, names, limit, output, date)


def test_every_set_is_measured_and_kept(tmp_path):
    folder, output = put(tmp_path / "data"), tmp_path / "out"
    results, skipped = measure_sets(order(folder, output), subject())
    assert [one.name for one in results] == list(SETS)
    assert skipped == []
    assert sorted(kept_sets(output), key=lambda one: list(SETS).index(one.name)) == results
    for one in results:
        assert one.licence == SETS[one.name].licence
        assert one.stamp.date == "2026-01-02"
        assert len(one.stamp.fingerprint) == 16
        assert one.found.members
        json.loads((output / "public" / f"{one.name}.json").read_text(), parse_constant=pytest.fail)


def test_what_did_not_change_is_not_measured_again(tmp_path):
    folder, output = put(tmp_path / "data", "verify/healthver_dev.jsonl.gz"), tmp_path / "out"
    first, _ = measure_sets(order(folder, output), subject())
    again = subject()
    second, _ = measure_sets(order(folder, output, date="2026-02-03"), again)
    assert second == first
    assert not [stage for stage, *_ in again.progress.told if "verifying" in stage]
    changed, _ = measure_sets(order(folder, output, limit=2), again)
    assert changed[0].count == 2
    other, _ = measure_sets(order(folder, output, limit=2), subject(support_min=0.9))
    assert other[0].stamp.fingerprint != changed[0].stamp.fingerprint
    (folder / "verify/healthver_dev.jsonl.gz").write_bytes(
        put(tmp_path / "else", "verify/covidfact.jsonl.gz").joinpath("verify/covidfact.jsonl.gz").read_bytes()
    )
    assert measure_sets(order(folder, output), subject())[0][0].count == 2


def test_absent_sets_are_skipped_with_a_note(tmp_path):
    folder = put(tmp_path / "data", "cranfield/queries.jsonl", "grounded_qa/clapnq_a.jsonl")
    results, skipped = measure_sets(order(folder, tmp_path / "out"), subject())
    assert [one.name for one in results] == ["clapnq"]
    assert {one.name: one.reason for one in skipped}["cranfield"] == "no cranfield/corpus.jsonl.gz"
    assert len(skipped) == len(SETS) - 1


def test_a_folder_without_any_set_is_refused(tmp_path):
    with pytest.raises(ReadError, match="none of the sets") as caught:
        measure_sets(order(tmp_path, tmp_path / "out", "wice"), subject())
    assert "verify/wice_dev" in caught.value.hint


def test_a_limit_leaves_the_corpus_whole(tmp_path):
    folder = put(tmp_path / "data")
    results, _ = measure_sets(order(folder, tmp_path / "out", "scifact", limit=1), subject())
    assert results[0].count == 1
    assert results[0].stamp.limit == 1


def test_rankings_run_from_the_plainest_to_what_ships(tmp_path):
    papers = SETS["scifact"].load(put(tmp_path)).papers
    assistant = subject().over(papers, "scifact")
    found = rankings(assistant)
    assert list(found) == ["BM25", "dense", "fused by rank", "hybrid, no sentence vectors", HYBRID, SHIPPED]
    assert {name: rank("Monarch Mixer")[0] for name, rank in found.items()} == dict.fromkeys(found, "m")
    assert found["BM25"]("Monarch Mixer") == ["m"]
    assert not assistant.pipeline.stages.generate.writes
    plain = rankings(subject(reranker="none").over(papers, "scifact"))
    assert list(plain) == [*list(found)[:-2], SHIPPED]


def test_what_the_reranker_did_not_read_follows_in_retrievals_order(tmp_path):
    papers = SETS["scifact"].load(put(tmp_path)).papers
    found = rankings(subject(rerank_top_k=1).over(papers, "scifact"))
    assert found[SHIPPED]("rate of learning") == found[HYBRID]("rate of learning")


def test_sentence_vectors_are_there_for_any_number_of_papers(tmp_path, monkeypatch):
    from eval.public import subject as subjects

    monkeypatch.setattr(subjects, "SENTENCE_VIEW_PAPERS_MAX", 1)
    monkeypatch.setattr("rag.index.build.SENTENCE_VIEW_PAPERS_MAX", 1)
    papers = SETS["scifact"].load(put(tmp_path)).papers
    index = subject().over(papers, "many").index
    assert len(index) == 3
    assert index.manifest.views == ("abstract", "sentence")


def test_another_files_content_is_refused(tmp_path):
    folder = put(tmp_path / "data", "verify/wice_dev.jsonl.gz")
    result = measure_sets(order(folder, tmp_path / "out"), subject())[0][0]
    path = save_set(result, tmp_path)
    assert read_set(path) == result
    path.write_text(path.read_text().replace('"format": 1', '"format": 9', 1))
    with pytest.raises(ReadError, match="format 9"):
        read_set(path)
    assert earlier(path) is None
    path.write_text("{}")
    assert kept_sets(tmp_path) == []


def test_every_file_of_the_catalogue_has_an_example():
    assert {name for one in SETS.values() for name in one.files} == set(FILES)
