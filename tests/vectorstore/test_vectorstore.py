"""The stores that ship, against the contract, against numbers made by hand and damaged files."""

from __future__ import annotations

import json
import os
import pickle
import shutil
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

from vectorstore import faiss_index, rows
from vectorstore.base import Hit, Vectors, VectorStoreError, possible, rounding, unit_rows
from vectorstore.coded import Effort, sample
from vectorstore.exact import ExactStore
from vectorstore.faiss_store import FaissStore, choose_kind

ROOT = Path(__file__).parents[2]
KINDS = ("flat", "coded")
SMALL = Effort(coded_from=500, probes_least=8, fetch_least=150, fetch_per_hit=4, scan_share=0.2)
# the contract's rows of 16 random numbers have four codes each, which tell little
THOROUGH = Effort(coded_from=500, probes_share=0.5, fetch_least=600, fetch_per_hit=20, scan_share=0.4)


class TestExactStore(VectorStoreContract):
    @pytest.fixture(scope="class")
    def store_factory(self):
        return ExactStore


class TestFaissFlat(VectorStoreContract):
    @pytest.fixture(scope="class")
    def store_factory(self):
        return FaissStore


class TestFaissCoded(VectorStoreContract):
    """As a fresh store is: rows without codes are all read, so it is exact."""

    @pytest.fixture(scope="class")
    def store_factory(self):
        return lambda dimension: FaissStore(dimension, "coded")


class SavedCoded(FaissStore):
    """Gives rows their codes as soon as they are added, and from so few on that the contract meets them."""

    def __init__(self, dimension: int, kind: str = "coded", *, effort: Effort | None = None) -> None:
        super().__init__(dimension, kind, effort=effort or THOROUGH)

    def add(self, ids, vectors) -> None:
        super().add(ids, vectors)
        self._layout.build()


class TestFaissCodedRows(VectorStoreContract):
    exact = False

    @pytest.fixture(scope="class")
    def store_factory(self):
        return SavedCoded


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
        (50_000, "coded"),
        (10**9, "coded"),
    ],
)
def test_the_kind_follows_the_count(count: int, kind: str) -> None:
    assert choose_kind(count) == kind


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(VectorStoreError, match="'annoy'"):
        FaissStore(3, "annoy")


def clustered(count: int, dimension: int, seed: int = 0) -> Vectors:
    """Unit rows around 40 centres, as embeddings of papers on 40 subjects lie."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((40, dimension))
    return unit(centres[chance.integers(0, 40, count)] + 0.7 * chance.standard_normal((count, dimension)))


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Vectors]:
    """A folder with 6,000 rows of 32 numbers that have codes, and the rows."""
    folder, rows_in = tmp_path_factory.mktemp("coded"), clustered(6000, 32)
    store = FaissStore(32, "coded", effort=SMALL)
    store.add(numbered(6000), rows_in)
    store.save(folder)
    return folder, rows_in


class TestCoded:
    """More rows than one search looks at."""

    def opened(self, folder: Path) -> FaissStore:
        return FaissStore.load(folder, dimension=32, count=6000, effort=SMALL)

    def test_recall_against_the_oracle(self, coded) -> None:
        """Ten best of 6,000, 150 scored in full: the codes must be worth something."""
        store, oracle, queries = self.opened(coded[0]), ExactStore(32), clustered(60, 32, seed=1)
        oracle.add(numbered(6000), coded[1])
        assert store._layout.coded == 6000
        wanted, found = oracle.search(queries, 10), store.search(queries, 10)
        shared = sum(len(set(a) & set(b)) for a, b in zip(wanted, found, strict=True))
        assert shared / 600 >= 0.97
        for a, b in zip(wanted, found, strict=True):  # what is found has the oracle's score, to the bit
            known = {hit.id: hit.score for hit in a}
            assert all(known.get(hit.id, hit.score) == hit.score for hit in b)

    def test_rows_come_back_from_the_map_bit_for_bit(self, coded) -> None:
        store = self.opened(coded[0])
        store.add(["new"], clustered(1, 32, seed=2))
        ids = ["p05999", "new", "p00000", "p05999"]
        wanted = np.stack([coded[1][5999], clustered(1, 32, seed=2)[0], coded[1][0], coded[1][5999]])
        assert np.array_equal(store.vectors(ids), wanted)
        assert not store._layout._rows._mapped.flags.writeable

    def test_added_rows_are_found_before_they_have_codes(self, coded) -> None:
        store, more = self.opened(coded[0]), clustered(300, 32, seed=3)
        store.add([f"n{i}" for i in range(300)], more)
        assert (store._layout.coded, len(store)) == (6000, 6300)
        assert hit_ids(store, more, 1) == [[f"n{i}"] for i in range(300)]

    def test_hidden_rows_stay_hidden_until_the_rows_are_written_anew(self, coded, tmp_path) -> None:
        store, ids = self.opened(coded[0]), numbered(6000)
        near = hit_ids(store, coded[1][:1], 200)[0]
        store.remove(near)  # all that one look-up would find
        (hits,) = store.search(coded[1][:1], 10)
        assert len(hits) == 10
        assert not {hit.id for hit in hits} & set(near)
        store.save(tmp_path)
        again = FaissStore.load(tmp_path, dimension=32, count=5800, effort=SMALL)
        assert again.search(coded[1][:1], 10) == [hits]
        assert len(again._layout) == 6000
        again.remove(ids[:1500])
        assert len(again._layout) == len(again) == len(set(ids[1500:]) - set(near))
        assert np.array_equal(again.vectors(ids[-1:]), coded[1][-1:])

    def test_wanting_many_reads_all_rows(self, coded) -> None:
        store, oracle, queries = self.opened(coded[0]), ExactStore(32), clustered(2, 32, seed=4)
        oracle.add(numbered(6000), coded[1])
        assert store.search(queries, 400) == oracle.search(queries, 400)

    def test_lists_are_made_anew_when_there_are_four_times_the_rows(self) -> None:
        store, rows_in = FaissStore(8, "coded", effort=SMALL), random_unit(4000, 8)
        store.add(numbered(400), rows_in[:400])
        store._layout.build()
        assert store._layout.coded == 0
        for end, lists, coded_rows in ((800, 20, 800), (1500, 20, 1500), (1600, 41, 1600), (3100, 41, 3100)):
            start = len(store)
            store.add(numbered(4000)[start:end], rows_in[start:end])
            store._layout.build()
            assert (int(store._layout._index.nlist), store._layout.coded) == (lists, coded_rows)
        assert np.array_equal(store.vectors(numbered(3100)), rows_in[:3100])

    def test_a_store_may_become_another_kind(self, coded) -> None:
        store = self.opened(coded[0])
        store.remove(numbered(10))
        store.become("flat")
        assert (store.kind, store.ids()) == ("flat", numbered(6000)[10:])
        assert np.array_equal(store.vectors(store.ids()), coded[1][10:])
        store.become("coded")
        assert (store.kind, len(store._layout)) == ("coded", 5990)

    @pytest.mark.parametrize("text", [b"", b"\x93NUMPY", b"no array"])
    def test_damaged_rows_are_refused(self, coded, tmp_path, text) -> None:
        shutil.copytree(coded[0], tmp_path, dirs_exist_ok=True)
        (tmp_path / "vectors.rows.npy").write_bytes(text)
        with pytest.raises(VectorStoreError, match="could not read"):
            self.opened(tmp_path)

    def test_rows_of_another_collection_are_refused(self, coded, tmp_path) -> None:
        shutil.copytree(coded[0], tmp_path, dirs_exist_ok=True)
        np.save(tmp_path / "vectors.rows.npy", coded[1][:-1])
        with pytest.raises(VectorStoreError, match=r"shape \(6000, 32\)"):
            self.opened(tmp_path)

    @pytest.mark.parametrize("bits", [8, 4])
    def test_codes_that_mean_something_else_are_refused(self, coded, tmp_path, bits) -> None:
        shutil.copytree(coded[0], tmp_path, dirs_exist_ok=True)
        other = faiss.IndexIVFPQ if bits == 8 else faiss.IndexIVFPQFastScan
        index = other(faiss.IndexFlatIP(32), 32, 4, 4, bits, faiss.METRIC_INNER_PRODUCT)
        index.train(coded[1])
        index.add(coded[1])
        faiss.write_index(index, str(tmp_path / "vectors.faiss"))
        with pytest.raises(VectorStoreError, match="expected IndexIVFPQFastScan"):
            self.opened(tmp_path)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_indexes_of_full_rows_are_still_read(kind: str, tmp_path: Path) -> None:
    """What earlier versions wrote: searched by reading all rows, and written with codes when saved."""
    rows_in = clustered(700, 16)
    if kind == "hnsw":
        index = faiss.IndexHNSWFlat(16, 32, faiss.METRIC_INNER_PRODUCT)
    else:
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(16), 16, 17, faiss.METRIC_INNER_PRODUCT)
        index.train(rows_in)
    index.add(rows_in)
    faiss.write_index(index, str(tmp_path / "vectors.faiss"))
    slots = [None, *numbered(700)[1:]]
    (tmp_path / "vectors.ids.json").write_text(json.dumps({"kind": kind, "slots": slots}), encoding="utf-8")
    store, oracle = FaissStore.load(tmp_path, dimension=16, count=699, effort=SMALL), ExactStore(16)
    oracle.add(numbered(700)[1:], rows_in[1:])
    assert store.search(rows_in[:9], 12) == oracle.search(rows_in[:9], 12)
    store.save(tmp_path)
    again = FaissStore.load(tmp_path, dimension=16, count=699, effort=SMALL)
    assert (again.kind, again._layout.coded) == ("coded", 700)
    assert np.array_equal(again.vectors(again.ids()), rows_in[1:])


def test_what_rounding_may_have_swapped_stays_possible() -> None:
    """d = 2: two scores may be (2 + 2) * 2^-23 * 1.01 = 4.82e-7 apart and still be the other way round."""
    assert rounding(2) == pytest.approx(4.816e-7, rel=1e-3)
    scores = np.array([0.5, 0.9, 0.5 - 4e-7, 0.5 - 6e-7, -1.0], np.float32)
    assert possible(scores, 2, 2).tolist() == [0, 1, 2]
    assert possible(scores, 5, 2).tolist() == [0, 1, 2, 3, 4]


def test_the_rows_the_lists_are_made_from_by_hand() -> None:
    """64 for a list, evenly spread from the first to the last."""
    assert sample(3, 1).tolist() == [0, 1, 2]
    assert sample(127, 1)[:3].tolist() == [0, 2, 4]
    assert sample(127, 1)[-1] == 126


def test_the_lists_for_a_count_by_hand() -> None:
    """2 * sqrt(n), at least 39 rows each, 1,024 at the most."""
    assert [faiss_index.list_count(n) for n in (0, 39, 78, 1600, 62_974, 10**6)] == [1, 1, 2, 41, 501, 1024]


class TestRows:
    def test_parts_are_one(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(rows, "BLOCK_ROWS", 2)
        whole, kept = random_unit(7, 3), rows.Rows(3)
        kept.append(whole[:3])
        kept.save(tmp_path / "rows.npy")
        kept = rows.Rows.load(tmp_path / "rows.npy", (3, 3))
        kept.append(whole[3:4])
        kept.append(whole[4:])
        assert len(kept) == 7
        assert np.array_equal(kept.at(np.array([6, 0, 3, 2, 6])), whole[[6, 0, 3, 2, 6]])
        assert [(first, len(block)) for first, block in kept.blocks()] == [(0, 2), (2, 1), (3, 2), (5, 2)]
        assert [(first, len(block)) for first, block in kept.blocks(4)] == [(4, 2), (6, 1)]
        kept.save(tmp_path / "rows.npy")  # over the file that is mapped
        assert np.array_equal(np.load(tmp_path / "rows.npy"), whole)
        assert np.array_equal(kept.at(np.arange(7)), whole)
        assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    def test_a_full_disk_keeps_what_was_there(self, tmp_path: Path) -> None:
        kept = rows.Rows(3)
        kept.append(random_unit(5, 3))
        kept.save(tmp_path / "rows.npy")
        (tmp_path / ".rows.npy.partial").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            kept.save(tmp_path / "rows.npy")
        assert np.load(tmp_path / "rows.npy").shape == (5, 3)
        assert not (tmp_path / ".rows.npy.partial").is_symlink()


def test_flat_forgets_at_once() -> None:
    store = FaissStore(8)
    store.add(numbered(50), random_unit(50, 8))
    store.remove(["p00003", "p00017"])
    assert len(store._layout) == 48


def test_scores_do_not_depend_on_the_store() -> None:
    exact, flat = ExactStore(384), FaissStore(384)
    for store in (exact, flat):
        store.add(numbered(200), random_unit(200, 384))
    queries = random_unit(40, 384, seed=6)
    assert flat.search(queries, 20) == exact.search(queries, 20)


def test_searches_may_run_side_by_side() -> None:
    store, queries = SavedCoded(16), random_unit(30, 16, seed=7)
    store.add(numbered(4000), random_unit(4000, 16))
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
         '{"kind": "coded", "slots": ["x", "y"]}', '{"kind": ["flat"], "slots": {}}'],
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
from vectorstore.coded import Effort
from vectorstore.exact import ExactStore
from vectorstore.faiss_store import FaissStore
from contracts.vector_store import numbered, random_unit

kind, folder, chance = sys.argv[1], Path(sys.argv[2]), random.Random(0)
effort = Effort(coded_from=100, fetch_least=10, fetch_per_hit=1, scan_share=0.5)
store = ExactStore(8) if kind == "exact" else FaissStore(8, kind, effort=effort)
opened = {"dimension": 8, "count": 113} | ({} if kind == "exact" else {"effort": effort})
store.add(numbered(120), random_unit(120, 8))
store.remove(numbered(7))
path = store.save(folder)[int(sys.argv[3])]
whole = path.read_bytes()

def loads(content):
    path.write_bytes(content)
    try:
        again = type(store).load(folder, **opened)
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


@pytest.mark.parametrize(("kind", "file"), [("exact", 0), ("flat", 0), ("coded", 0), ("coded", 1)])
def test_damaged_files_raise_our_error_and_never_crash(kind: str, file: int, tmp_path: Path) -> None:
    """In a child process, since what is tested is that FAISS does not take the process down."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    child = subprocess.run(
        [sys.executable, "-c", MUTATE, kind, str(tmp_path), str(file)],
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
    scores, _ = faiss_index.nearest(flat._layout._index, query, 200)
    assert scores[0, 0] - scores[0, -1] < 1e-5
    for k in (1, 10, 100):
        assert flat.search(query, k) == exact.search(query, k)


def test_unit_rows_by_hand() -> None:
    rows = unit_rows([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]])
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0], [0.0, -1.0]]
    assert rows.dtype == np.float32
