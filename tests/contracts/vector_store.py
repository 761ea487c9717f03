"""What every vector store must pass. Inherit `VectorStoreContract` and give it `store_factory`.

    class TestMyStore(VectorStoreContract):
        @pytest.fixture(scope="class")
        def store_factory(self): return MyStore          # called with a dimension

An approximate store sets `exact = False`: it is then held to `least_recall` on random vectors,
instead of to the oracle's ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vectorstore.base import Vectors, VectorStore, VectorStoreError
from vectorstore.exact import ExactStore

StoreFactory = Callable[[int], VectorStore]

X, Y, Z = np.eye(3, dtype=np.float32)


def unit(values: object) -> Vectors:
    """Rows scaled to length 1; shape (n, dimension)."""
    rows = np.asarray(values, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_unit(count: int, dimension: int, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).standard_normal((count, dimension)))


def numbered(count: int) -> list[str]:
    return [f"p{number:05d}" for number in range(count)]


def hit_ids(store: VectorStore, queries: Vectors, k: int) -> list[list[str]]:
    return [[hit.id for hit in hits] for hits in store.search(queries, k)]


@st.composite
def grid_rows(draw: st.DrawFn, least: int, most: int, dimension: int = 4) -> Vectors:
    """Unit rows from a coarse grid, so that equal scores are common."""
    coordinate = st.integers(-2, 2)
    row = st.lists(coordinate, min_size=dimension, max_size=dimension).filter(any)
    return unit(draw(st.lists(row, min_size=least, max_size=most)))


class VectorStoreContract:
    """Inherited by the tests of every store."""

    exact = True
    least_recall = 0.9

    @pytest.fixture(scope="class")
    def store_factory(self) -> StoreFactory:
        raise NotImplementedError("give the contract a store")

    @pytest.fixture
    def store(self, store_factory: StoreFactory) -> VectorStore:
        return store_factory(3)

    def reloaded(self, store: VectorStore, folder: Path) -> VectorStore:
        written = store.save(folder)
        assert written and all(path.parent == folder and path.is_file() for path in written)
        assert {path.name for path in folder.iterdir()} == {path.name for path in written}
        return type(store).load(folder, dimension=store.dimension, count=len(store))

    # -- a store is a store

    def test_keeps_the_protocol(self, store: VectorStore) -> None:
        assert isinstance(store, VectorStore)
        assert store.dimension == 3

    def test_an_empty_store_finds_nothing(self, store: VectorStore) -> None:
        assert len(store) == 0
        assert store.ids() == []
        assert store.search(np.stack([X, Y]), 5) == [[], []]
        assert store.vectors([]).shape == (0, 3)
        assert store.remove(["nobody"]) == 0

    def test_adding_nothing_and_asking_nothing(self, store: VectorStore) -> None:
        store.add([], np.empty((0, 3), dtype=np.float32))
        assert len(store) == 0
        store.add(["x"], X[None])
        assert store.search(np.empty((0, 3), dtype=np.float32), 1) == []

    # -- adding

    def test_adding_twice_changes_nothing(self, store: VectorStore) -> None:
        rows = np.stack([X, Y])
        store.add(["x", "y"], rows)
        once = store.search(rows, 3)
        store.add(["x", "y"], rows)
        assert len(store) == 2
        assert store.ids() == ["x", "y"]
        assert store.search(rows, 3) == once

    def test_a_held_id_is_overwritten_and_moves_to_the_end(self, store: VectorStore) -> None:
        store.add(["a", "b", "c"], np.stack([X, Y, Z]))
        store.add(["a"], Y[None])
        assert store.ids() == ["b", "c", "a"]
        assert hit_ids(store, Y[None], 3) == [["a", "b", "c"]]
        assert store.search(X[None], 1)[0][0].score == 0.0

    def test_ids_come_in_the_order_added(self, store: VectorStore) -> None:
        store.add(["z"], X[None])
        store.add(["m", "a"], np.stack([Y, Z]))
        assert store.ids() == ["z", "m", "a"]

    def test_ids_are_any_strings(self, store: VectorStore, tmp_path: Path) -> None:
        ids = ["", 'née "ß" \\ 論文', "10.1/x\n-1"]
        store.add(ids, np.stack([X, Y, Z]))
        assert self.reloaded(store, tmp_path).ids() == ids

    # -- rows come back

    def test_vectors_come_back_bit_for_bit_in_the_order_asked(self, store_factory) -> None:
        store, rows = store_factory(8), random_unit(20, 8)
        store.add(numbered(20), rows)
        back = store.vectors(["p00007", "p00000", "p00007"])
        assert back.dtype == np.float32
        assert np.array_equal(back, rows[[7, 0, 7]])

    def test_what_vectors_returns_is_the_callers(self, store: VectorStore) -> None:
        store.add(["x"], X[None])
        store.vectors(["x"])[:] = 0.0
        assert np.array_equal(store.vectors(["x"]), X[None])

    def test_vectors_of_an_unknown_id_is_an_error_that_names_it(self, store: VectorStore) -> None:
        store.add(["x"], X[None])
        with pytest.raises(VectorStoreError, match="ghost"):
            store.vectors(["x", "ghost"])

    # -- removing

    def test_removing_counts_what_was_there(self, store: VectorStore) -> None:
        store.add(["x", "y", "z"], np.stack([X, Y, Z]))
        assert store.remove(["y", "nobody", "y"]) == 1
        assert store.ids() == ["x", "z"]
        assert hit_ids(store, Y[None], 3) == [["x", "z"]]
        assert store.remove(["y"]) == 0

    def test_a_store_emptied_can_be_filled_again(self, store: VectorStore) -> None:
        store.add(["x", "y"], np.stack([X, Y]))
        assert store.remove(["x", "y"]) == 2
        assert store.search(X[None], 1) == [[]]
        store.add(["x"], Z[None])
        assert hit_ids(store, Z[None], 1) == [["x"]]

    @pytest.mark.parametrize("removed", [1, 15, 90])
    def test_rows_after_removed_ones_keep_their_ids(self, store_factory, removed: int) -> None:
        store, rows, ids = store_factory(8), random_unit(100, 8), numbered(100)
        store.add(ids, rows)
        assert store.remove(ids[:removed]) == removed
        store.add(ids[:1], rows[:1])
        kept = ids[removed:] + ids[:1]
        assert store.ids() == kept
        assert np.array_equal(store.vectors(kept), rows[[int(item[1:]) for item in kept]])
        assert hit_ids(store, store.vectors(kept), 1) == [[item] for item in kept]

    # -- searching

    def test_ties_come_by_id(self, store: VectorStore) -> None:
        store.add(["b", "d", "a", "c"], np.stack([X, X, X, Y]))
        assert hit_ids(store, X[None], 4) == [["a", "b", "d", "c"]]

    def test_ties_at_the_cut_off_come_by_id(self, store: VectorStore) -> None:
        ids = numbered(150)
        store.add(ids[::-1], np.tile(X, (150, 1)))
        store.add(["best"], unit([[9.0, 1.0, 0.0]]))
        assert hit_ids(store, unit([[9.0, 1.0, 0.0]]), 4) == [["best", *ids[:3]]]

    def test_k_beyond_the_store_gives_all_of_it(self, store: VectorStore) -> None:
        store.add(["x", "y"], np.stack([X, Y]))
        assert hit_ids(store, X[None], 1000) == [["x", "y"]]

    def test_padding_never_shows(self, store_factory) -> None:
        store, ids = store_factory(4), numbered(60)
        store.add(ids, random_unit(60, 4))
        store.remove(ids[:5])
        for k in (1, 54, 55, 56, 500):
            for hits in hit_ids(store, random_unit(3, 4, seed=1), k):
                assert len(hits) == len(set(hits)) == min(k, 55)
                assert set(hits) <= set(ids[5:])

    def test_a_query_gets_the_same_hits_alone_and_in_a_batch(self, store_factory) -> None:
        store, queries = store_factory(24), random_unit(150, 24, seed=2)
        store.add(numbered(300), random_unit(300, 24))
        together = store.search(queries, 7)
        assert [store.search(query[None], 7)[0] for query in queries] == together

    def test_inputs_are_never_mutated_nor_kept(self, store_factory) -> None:
        store, rows, ids = store_factory(4), random_unit(6, 4), numbered(6)
        rows_before, ids_before = rows.copy(), list(ids)
        store.add(ids, rows)
        store.search(rows, 3)
        store.remove(ids[:2])
        assert np.array_equal(rows, rows_before)
        assert ids == ids_before
        rows[:] = 0.0
        ids.clear()
        assert np.array_equal(store.vectors(["p00004"]), rows_before[4:5])

    def test_read_only_strided_and_double_input_is_taken(self, store: VectorStore) -> None:
        doubles = np.eye(6, dtype=np.float64)[::2, ::2]
        doubles.setflags(write=False)
        store.add(["x", "y", "z"], doubles)
        assert hit_ids(store, doubles, 1) == [["x"], ["y"], ["z"]]

    # -- refusing

    @pytest.mark.parametrize(
        ("ids", "rows", "says"),
        [
            (["a"], np.stack([X, Y]), "1 ids for 2 vectors"),
            (["a", "a"], np.stack([X, Y]), "'a' comes twice"),
            (["a"], np.array([[1.0, 0.0]]), r"\(n, 3\), got \(1, 2\)"),
            (["a"], X, r"got \(3,\)"),
            (["a"], np.array([[np.nan, 0.0, 1.0]]), "not finite"),
            (["a"], np.array([[np.inf, 0.0, 0.0]]), "not finite"),
            (["a"], np.array([[1e300, 0.0, 0.0]]), "not finite"),
            (["a"], np.array([[1.0, 1.0, 0.0]]), "length 1.414"),
            (["a"], np.zeros((1, 3)), "length 0"),
            (["a"], [["one", "two", "three"]], "numbers"),
            (["a"], [[1.0, 0.0], [1.0]], "numbers"),
            ("a", X[None], "single string"),
            ([7], X[None], "strings"),
        ],
    )
    def test_bad_rows_are_refused_and_nothing_changes(self, store, ids, rows, says) -> None:
        store.add(["a", "b"], np.stack([Y, Z]))
        with pytest.raises(VectorStoreError, match=says):
            store.add(ids, rows)
        assert store.ids() == ["a", "b"]
        assert np.array_equal(store.vectors(["a"]), Y[None])

    @pytest.mark.parametrize("filled", [False, True])
    @pytest.mark.parametrize(
        ("queries", "k"),
        [(X[None], 0), (X[None], -1), (X, 1), (np.ones((1, 2)), 1), (np.full((1, 3), np.nan), 1)],
    )
    def test_bad_searches_are_refused(self, store, queries, k, filled) -> None:
        if filled:
            store.add(["x"], X[None])
        with pytest.raises(VectorStoreError):
            store.search(queries, k)

    def test_a_single_string_is_no_list_of_ids(self, store: VectorStore) -> None:
        store.add(["x"], X[None])
        for call in (store.remove, store.vectors):
            with pytest.raises(VectorStoreError, match="single string"):
                call("x")

    def test_a_dimension_below_one_is_refused(self, store_factory) -> None:
        with pytest.raises(VectorStoreError, match="dimension"):
            store_factory(0)

    # -- saving and loading

    def test_an_empty_store_comes_back(self, store: VectorStore, tmp_path: Path) -> None:
        again = self.reloaded(store, tmp_path)
        assert (len(again), again.dimension, again.search(X[None], 2)) == (0, 3, [[]])
        again.add(["x"], X[None])
        assert hit_ids(again, X[None], 1) == [["x"]]

    def test_a_saved_store_comes_back_the_same(self, store_factory, tmp_path: Path) -> None:
        store, ids, queries = store_factory(8), numbered(300), random_unit(9, 8, seed=3)
        store.add(ids, random_unit(300, 8))
        store.remove(ids[10:40])
        store.add(ids[:3], random_unit(3, 8, seed=4))
        again = self.reloaded(store, tmp_path)
        assert again.ids() == store.ids()
        assert np.array_equal(again.vectors(store.ids()), store.vectors(store.ids()))
        assert again.search(queries, 12) == store.search(queries, 12)

    def test_a_loaded_store_can_be_changed_and_saved_over(self, store_factory, tmp_path) -> None:
        store, rows, ids = store_factory(8), random_unit(80, 8), numbered(80)
        store.add(ids[:50], rows[:50])
        store = self.reloaded(store, tmp_path)
        assert store.remove(ids[:5]) == 5
        store.add(ids[50:], rows[50:])
        store = self.reloaded(store, tmp_path)
        assert store.ids() == ids[5:]
        assert hit_ids(store, rows[5:], 1) == [[item] for item in ids[5:]]

    def test_what_was_recorded_otherwise_is_refused(self, store: VectorStore, tmp_path) -> None:
        store.add(["x", "y"], np.stack([X, Y]))
        store.save(tmp_path)
        for dimension, count in ((4, 2), (2, 2), (3, 1), (3, 3), (3, 0), (0, 2)):
            with pytest.raises(VectorStoreError):
                type(store).load(tmp_path, dimension=dimension, count=count)

    def test_a_folder_that_is_not_there_is_refused(self, store: VectorStore, tmp_path) -> None:
        with pytest.raises(VectorStoreError):
            store.save(tmp_path / "nowhere")
        with pytest.raises(VectorStoreError):
            type(store).load(tmp_path / "nowhere", dimension=3, count=0)

    def test_each_file_is_needed(self, store: VectorStore, tmp_path: Path) -> None:
        store.add(["x"], X[None])
        for path in store.save(tmp_path):
            kept = path.read_bytes()
            path.unlink()
            with pytest.raises(VectorStoreError, match=path.name):
                type(store).load(tmp_path, dimension=3, count=1)
            path.write_bytes(kept)

    @pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", '["x", "x"]', "[" * 100_000])
    def test_damaged_json_is_refused(self, store: VectorStore, tmp_path: Path, text: str) -> None:
        store.add(["x", "y"], np.stack([X, Y]))
        for path in store.save(tmp_path):
            if path.suffix == ".json":
                assert json.loads(path.read_text(encoding="utf-8"))
                path.write_text(text, encoding="utf-8")
        with pytest.raises(VectorStoreError):
            type(store).load(tmp_path, dimension=3, count=2)

    # -- against the oracle

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(rows=grid_rows(1, 60), queries=grid_rows(1, 5), data=st.data())
    def test_any_history_gives_the_oracles_hits(self, store_factory, rows, queries, data) -> None:
        """Small stores: here every kind looks at all rows, so all must agree with the oracle."""
        store, oracle = store_factory(rows.shape[1]), ExactStore(rows.shape[1])
        ids = data.draw(st.permutations(numbered(len(rows))))
        gone = data.draw(st.lists(st.sampled_from(ids), max_size=20))
        again = data.draw(st.integers(0, len(rows)))
        k = data.draw(st.integers(1, 70))
        for one in (store, oracle):
            one.add(ids, rows)
            one.remove(gone)
            one.add(ids[:again], rows[::-1][:again])
        assert store.ids() == oracle.ids()
        assert store.search(queries, k) == oracle.search(queries, k)

    @pytest.mark.parametrize("k", [1, 10, 50])
    def test_random_rows_against_the_oracle(self, store_factory, k: int) -> None:
        store, oracle, ids = store_factory(16), ExactStore(16), numbered(3000)
        rows, queries = random_unit(3000, 16), random_unit(20, 16, seed=5)
        for one in (store, oracle):
            one.add(ids[:1000], rows[:1000])
            one.add(ids[1000:], rows[1000:])
            one.remove(ids[:200])
        wanted, found = oracle.search(queries, k), store.search(queries, k)
        if self.exact:
            assert found == wanted
        shared = sum(len(set(a) & set(b)) for a, b in zip(wanted, found, strict=True))
        assert shared / (len(queries) * k) >= self.least_recall
        assert all(hits == sorted(hits, key=lambda hit: (-hit.score, hit.id)) for hits in found)
