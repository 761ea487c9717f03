"""The stores that ship, against the contract, against numbers made by hand and damaged files."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import faiss
import numpy as np
import pytest
from contracts.vector_store import (
    VectorStoreContract,
    hit_ids,
    numbered,
    random_unit,
    unit,
)

from vectorstore import faiss_index
from vectorstore.base import Hit, VectorStoreError
from vectorstore.exact import ExactStore
from vectorstore.faiss_store import FaissStore, choose_kind

ROOT = Path(__file__).parents[1]
KINDS = ("flat", "hnsw", "ivf")


class TestExactStore(VectorStoreContract):
    @pytest.fixture(scope="class")
    def store_factory(self):
        return ExactStore


class TestFaissFlat(VectorStoreContract):
    @pytest.fixture(scope="class")
    def store_factory(self):
        return FaissStore


class TestFaissHnsw(VectorStoreContract):
    exact = False

    @pytest.fixture(scope="class")
    def store_factory(self):
        return lambda dimension: FaissStore(dimension, "hnsw")


class TestFaissIvf(VectorStoreContract):
    exact = False

    @pytest.fixture(scope="class")
    def store_factory(self):
        return lambda dimension: FaissStore(dimension, kind="ivf")


@pytest.mark.parametrize(
    "store", [ExactStore(2), *(FaissStore(2, kind) for kind in KINDS)], ids=["exact", *KINDS]
)
def test_three_vectors_by_hand(store) -> None:
    """q = (0.6, 0.8): east 0.6, north 0.8, and (0.8, 0.6) gives 0.48 + 0.48 = 0.96."""
    store.add(["east", "north", "between"], np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32))
    (hits,) = store.search(np.array([[0.6, 0.8]], np.float32), 3)
    assert [hit.id for hit in hits] == ["between", "north", "east"]
    assert [hit.score for hit in hits] == pytest.approx([0.96, 0.8, 0.6], abs=1e-7)
    (opposite,) = store.search(np.array([[-1, 0]], np.float32), 2)
    assert opposite == [Hit("north", 0.0), Hit("between", -float(np.float32(0.8)))]


@pytest.mark.parametrize(
    ("count", "kind"),
    [
        (0, "flat"),
        (49_999, "flat"),
        (50_000, "hnsw"),
        (499_999, "hnsw"),
        (500_000, "ivf"),
        (10**9, "ivf"),
    ],
)
def test_the_kind_follows_the_count(count: int, kind: str) -> None:
    assert choose_kind(count) == kind


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(VectorStoreError, match="'annoy'"):
        FaissStore(3, "annoy")


class TestApproximateKinds:
    """HNSW and IVF with more rows than one search looks at."""

    @pytest.mark.parametrize("kind", ["hnsw", "ivf"])
    def test_hidden_rows_stay_hidden_until_the_index_is_rebuilt(self, kind, tmp_path) -> None:
        store, rows, ids = FaissStore(8, kind), random_unit(500, 8), numbered(500)
        store.add(ids, rows)
        store.remove(ids[:90])
        assert store._index.ntotal == 500
        store.save(tmp_path)
        for one in (store, FaissStore.load(tmp_path, dimension=8, count=410)):
            assert {hit for hits in hit_ids(one, rows[:90], 5) for hit in hits} <= set(ids[90:])
        assert store.remove(ids[90:95]) == 5
        assert {hit for hits in hit_ids(store, rows[:95], 5) for hit in hits} <= set(ids[95:])
        store.remove(ids[95:110])
        assert store._index.ntotal == len(store) == 390
        assert hit_ids(store, rows[110:], 1) == [[item] for item in ids[110:]]

    def test_faiss_padding_is_not_taken_for_the_last_row(self) -> None:
        """The lists looked at hold fewer rows than are fetched, so FAISS pads with -1."""
        store, rows, ids = FaissStore(8, "ivf"), random_unit(3000, 8), numbered(3000)
        store.add(ids, rows)
        last = rows[-1:]
        _, seen = faiss_index.nearest(store._index, last, 2999, selector=None, exhaustive=False)
        enough = int((seen >= 0).sum())
        assert enough < 2999
        for k in (enough - 5, enough, enough + 5):
            (hits,) = hit_ids(store, last, k)
            assert hits[0] == ids[-1]
            assert len(set(hits)) == len(hits) == k

    def test_flat_forgets_at_once(self) -> None:
        store = FaissStore(8)
        store.add(numbered(50), random_unit(50, 8))
        store.remove(["p00003", "p00017"])
        assert store._index.ntotal == 48

    def test_many_equal_rows_do_not_hide_from_the_graph(self) -> None:
        """A graph of equal rows is badly linked; a short answer is completed by looking at all."""
        store = FaissStore(8, "hnsw")
        store.add(numbered(1000), np.tile(unit([np.ones(8)]), (1000, 1)))
        assert hit_ids(store, unit([np.ones(8)]), 40) == [numbered(40)]

    def test_ivf_trains_again_when_it_has_grown(self) -> None:
        store, rows = FaissStore(8, "ivf"), random_unit(2000, 8)
        ids = numbered(2000)
        store.add(ids[:10], rows[:10])
        assert store._index.nlist == 1
        for start in range(10, 2000, 199):
            store.add(ids[start : start + 199], rows[start : start + 199])
        assert store._index.nlist > 10
        assert store.ids() == ids
        assert np.array_equal(store.vectors(ids), rows)


def test_scores_do_not_depend_on_the_store() -> None:
    exact, flat = ExactStore(384), FaissStore(384)
    for store in (exact, flat):
        store.add(numbered(200), random_unit(200, 384))
    queries = random_unit(40, 384, seed=6)
    assert flat.search(queries, 20) == exact.search(queries, 20)


def test_searches_may_run_side_by_side() -> None:
    store, queries = FaissStore(16, "hnsw"), random_unit(30, 16, seed=7)
    store.add(numbered(400), random_unit(400, 16))
    store.remove(numbered(20))
    alone, found = store.search(queries, 5), []
    store._hidden = None
    threads = [threading.Thread(target=lambda: found.append(store.search(queries, 5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 4


class TestWhatIsOnTheDisk:
    @pytest.fixture
    def saved(self, tmp_path: Path) -> Path:
        store = FaissStore(3)
        store.add(["x", "y"], np.eye(3, dtype=np.float32)[:2])
        store.save(tmp_path)
        return tmp_path

    @pytest.mark.parametrize(
        ("index", "rows"),
        [
            (faiss.IndexFlatL2(3), 2),
            (faiss.IndexFlatIP(4), 2),
            (faiss.IndexFlatIP(3), 3),
            (faiss.IndexHNSWFlat(3, 8, faiss.METRIC_INNER_PRODUCT), 2),
            (faiss.IndexIDMap2(faiss.IndexFlatIP(3)), 0),
        ],
        ids=["metric", "dimension", "count", "type", "wrapped"],
    )
    def test_another_index_under_our_name_is_refused(self, saved: Path, index, rows) -> None:
        if rows:
            index.add(np.eye(index.d, dtype=np.float32)[:rows])
        faiss.write_index(index, str(saved / "vectors.faiss"))
        with pytest.raises(VectorStoreError, match=r"expected IndexFlat\(dimension=3, rows=2"):
            FaissStore.load(saved, dimension=3, count=2)

    @pytest.mark.parametrize(
        "ids",
        ['{"kind": "annoy", "slots": ["x", "y"]}', '{"kind": "flat", "slots": ["x", 2]}',
         '{"kind": "flat", "slots": ["x", "x"]}', '{"kind": "flat", "slots": ["x", "y", null]}',
         '{"kind": "hnsw", "slots": ["x", "y"]}', '{"kind": ["flat"], "slots": {}}'],
    )  # fmt: skip
    def test_ids_that_do_not_fit_are_refused(self, saved: Path, ids: str) -> None:
        (saved / "vectors.ids.json").write_text(ids, encoding="utf-8")
        with pytest.raises(VectorStoreError):
            FaissStore.load(saved, dimension=3, count=2)

    def test_a_file_larger_than_recorded_may_not_allocate(self, saved: Path) -> None:
        large = faiss.IndexFlatIP(3)
        large.add(random_unit(200_000, 3))
        faiss.write_index(large, str(saved / "vectors.faiss"))
        before = faiss.get_deserialization_vector_byte_limit()
        with pytest.raises(VectorStoreError, match="could not read") as caught:
            FaissStore.load(saved, dimension=3, count=2)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert faiss.get_deserialization_vector_byte_limit() == before

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    @pytest.mark.parametrize("name", ["vectors.faiss", "vectors.npy", "vectors.ids.json"])
    def test_a_full_disk_is_an_error(self, tmp_path: Path, name: str) -> None:
        store = ExactStore(3) if name == "vectors.npy" else FaissStore(3)
        store.add(["x"], np.eye(3, dtype=np.float32)[:1])
        (tmp_path / name).symlink_to("/dev/full")
        with pytest.raises(VectorStoreError, match="No space left"):
            store.save(tmp_path)

    def test_a_pickle_is_not_opened(self, tmp_path: Path) -> None:
        ran = tmp_path / "ran"

        class Evil:
            def __reduce__(self):
                return os.mkdir, (str(ran),)

        store = ExactStore(1)
        store.add(["x"], np.ones((1, 1), np.float32))
        store.save(tmp_path)
        np.save(tmp_path / "vectors.npy", np.array([[Evil()]], dtype=object), allow_pickle=True)
        with pytest.raises(VectorStoreError):
            ExactStore.load(tmp_path, dimension=1, count=1)
        (tmp_path / "vectors.npy").write_bytes(pickle.dumps(Evil()))
        with pytest.raises(VectorStoreError):
            ExactStore.load(tmp_path, dimension=1, count=1)
        assert not ran.exists()


MUTATE = """
import random, sys
from pathlib import Path
from vectorstore.base import VectorStoreError
from vectorstore.exact import ExactStore
from vectorstore.faiss_store import FaissStore
from contracts.vector_store import numbered, random_unit

kind, folder, chance = sys.argv[1], Path(sys.argv[2]), random.Random(0)
store = ExactStore(8) if kind == "exact" else FaissStore(8, kind)
store.add(numbered(120), random_unit(120, 8))
store.remove(numbered(7))
path = store.save(folder)[0]
whole = path.read_bytes()

def loads(content):
    path.write_bytes(content)
    try:
        again = type(store).load(folder, dimension=8, count=113)
        again.search(random_unit(2, 8, seed=1), 5)
    except VectorStoreError:
        return False
    return True

assert loads(whole)
cuts = [0, 1, 3, 4, 8, 33, len(whole) // 2, len(whole) - 1]
assert not any(loads(whole[:cut]) for cut in cuts)
for _ in range(60):  # may load or be refused; must not crash or raise anything else
    place = chance.choice([chance.randrange(200), chance.randrange(len(whole))])
    splice = chance.choice([b"\\xff" * 8, bytes(8), bytes([chance.randrange(256)])])
    loads(whole[:place] + splice + whole[place + len(splice):])
"""


@pytest.mark.parametrize("kind", ["exact", *KINDS])
def test_damaged_files_raise_our_error_and_never_crash(kind: str, tmp_path: Path) -> None:
    """In a child process, since what is tested is that FAISS does not take the process down."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    child = subprocess.run(
        [sys.executable, "-c", MUTATE, kind, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]


def test_the_margin_is_not_what_makes_flat_exact() -> None:
    """200 rows a rounding error apart around the cut-off: FAISS's own order would differ."""
    rows = unit(unit([np.ones(64)]) + 1e-7 * random_unit(200, 64))
    exact, flat = ExactStore(64), FaissStore(64)
    for store in (exact, flat):
        store.add(numbered(200), rows)
    query = unit([np.ones(64)])
    scores, _ = faiss_index.nearest(flat._index, query, 200, selector=None, exhaustive=True)
    assert scores[0, 0] - scores[0, -1] < 1e-5
    for k in (1, 10, 100):
        assert flat.search(query, k) == exact.search(query, k)
