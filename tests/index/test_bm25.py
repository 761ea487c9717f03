from __future__ import annotations

import math

import pytest

from rag.errors import IndexCorrupt
from rag.index.bm25 import LexicalIndex, document_terms

# Three papers, eight terms: the mean length is 8/3.
DOCUMENTS = [("b", ["cat", "cat", "fish", "bird"]), ("a", ["cat", "dog"]), ("c", ["fish", "fish"])]
CAT = math.log(1 + 1.5 / 2.5)  # in 2 of 3 papers
DOG = math.log(1 + 2.5 / 1.5)  # in 1 of 3
UNKNOWN = math.log(1 + 3.5 / 0.5)  # in none


@pytest.fixture
def index() -> LexicalIndex:
    return LexicalIndex.build(DOCUMENTS, k1=1.0, b=0.5)


def test_idf_by_hand(index):
    assert index.idf("cat") == pytest.approx(CAT)
    assert index.idf("dog") == pytest.approx(DOG)
    assert index.idf("zebra") == pytest.approx(UNKNOWN)


def test_scores_by_hand(index):
    # tf / (tf + k1 (1 - b + b length / mean)): a 1/(1 + .5 + .5 * .75), b 2/(2 + .5 + .5 * 1.5)
    in_a, in_b = 1 / 1.875, 2 / 3.25
    assert index.scores("cat").tolist() == pytest.approx([in_a, in_b, 0.0])
    # 'dog' stands in a alone; both shares are weighed by idf
    both = [in_a, in_b * CAT / (CAT + DOG), 0.0]
    assert index.scores("the cats and dogs").tolist() == pytest.approx(both)


def test_a_word_no_paper_has_lowers_every_score(index):
    assert index.scores("cat zebra")[0] == pytest.approx(CAT / 1.875 / (CAT + UNKNOWN))


def test_search_ranks_and_leaves_out_what_shares_nothing(index):
    assert [name for name, _ in index.search("cat", 5)] == ["b", "a"]
    assert [name for name, _ in index.search("cat", 1)] == ["b"]
    assert index.search("zebra", 5) == []
    assert index.search("", 5) == []


def test_ties_by_id():
    tied = LexicalIndex.build([(name, ["cat"]) for name in ("z", "a", "m")], k1=1.0, b=0.5)
    assert [name for name, _ in tied.search("cat", 3)] == ["a", "m", "z"]


def test_a_collection_without_a_single_term():
    empty = LexicalIndex.build([("a", []), ("b", [])], k1=1.0, b=0.5)
    assert len(empty) == 2
    assert empty.scores("cat").tolist() == [0.0, 0.0]
    assert empty.search("cat", 2) == []


def test_title_and_abstract_are_indexed():
    assert document_terms("Cats", "dogs run") == ["cat", "dog", "run"]


@pytest.mark.parametrize("documents", [DOCUMENTS, [("a", [])], []])
def test_what_is_saved_is_what_is_loaded(tmp_path, documents):
    built = LexicalIndex.build(documents, k1=1.0, b=0.5)
    written = built.save(tmp_path)
    loaded = LexicalIndex.load(tmp_path)
    assert loaded.scores("cat dog zebra").tolist() == built.scores("cat dog zebra").tolist()
    assert loaded.search("cat dog", 3) == built.search("cat dog", 3)
    assert {path.suffix for path in written} <= {".json", ".npy"}  # no pickle
    assert written == sorted(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["papers.json", "data.csc.index.npy", "params.index.json"])
def test_a_damaged_folder_is_named(tmp_path, index, damage):
    index.save(tmp_path)
    (tmp_path / damage).write_bytes(b"")
    with pytest.raises(IndexCorrupt, match=str(tmp_path)) as raised:
        LexicalIndex.load(tmp_path)
    assert "citewise ingest" in raised.value.hint
    (tmp_path / damage).unlink()
    with pytest.raises(IndexCorrupt):
        LexicalIndex.load(tmp_path)


def test_scores_known_already_are_ranked_and_looked_up(index):
    scores = index.scores("cat fish")
    assert index.best(scores, 9) == index.search("cat fish", 9)
    assert index.best(scores, 1) == index.search("cat fish", 9)[:1]
    assert index.scores_of(scores, ["c", "nowhere", "a"]) == {"c": scores[2], "a": scores[0]}


def test_ties_at_the_cut_are_by_id():
    tied = LexicalIndex.build([(name, ["cat"]) for name in "zyxwvabcde"], k1=1.0, b=0.5)
    assert [name for name, _ in tied.search("cat", 4)] == ["a", "b", "c", "d"]


def test_the_terms_of_each_paper_are_kept(index, tmp_path):
    index.save(tmp_path)
    assert LexicalIndex.load(tmp_path).document_terms() == dict(DOCUMENTS)
    (tmp_path / "terms.npy").unlink()  # as an older version saved it
    assert LexicalIndex.load(tmp_path).document_terms() == {}
