from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieve.fusion import by_score, reciprocal_rank_fusion


def test_two_rankings_by_hand():
    # a: 1/61 + 1/62, b: 1/62 + 1/61 (equal: by id), c: 1/63 from the second alone
    fused = reciprocal_rank_fusion([["a", "b"], ["b", "a", "c"]])
    assert [name for name, _ in fused] == ["a", "b", "c"]
    assert fused[0][1] == fused[1][1] == pytest.approx(1 / 61 + 1 / 62)
    assert fused[2][1] == pytest.approx(1 / 63)


def test_weights_and_another_constant():
    # a: 2/(1 + 1), b: 1/(1 + 1)
    assert reciprocal_rank_fusion([["a"], ["b"]], k0=1, weights=[2.0, 1.0]) == [("a", 1.0), ("b", 0.5)]


def test_only_the_first_of_a_repeated_id_counts():
    # x keeps rank 1 and y takes rank 2, as if the repeat were not there
    assert reciprocal_rank_fusion([["x", "x", "y"]]) == [("x", 1 / 61), ("y", 1 / 62)]


def test_nothing_to_fuse():
    assert reciprocal_rank_fusion([]) == []
    assert reciprocal_rank_fusion([[], []]) == []


def test_a_weight_for_every_ranking():
    with pytest.raises(ValueError, match="2 rankings but 1 weights"):
        reciprocal_rank_fusion([["a"], ["b"]], weights=[1.0])


def test_ties_by_id():
    assert by_score({"b": 1.0, "a": 1.0, "c": 2.0}) == [("c", 2.0), ("a", 1.0), ("b", 1.0)]


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4))
def test_fusion_ranks_every_id_once_and_never_by_chance(rankings):
    fused = reciprocal_rank_fusion(rankings)
    assert sorted(name for name, _ in fused) == sorted({name for ranking in rankings for name in ranking})
    assert fused == by_score(dict(reversed(fused)))
