"""What this project asks of FAISS: three layouts of inner-product index, built, searched, read.

Knows positions only, no ids; raises what FAISS raises, and `faiss_store` maps it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import faiss as faiss_module
import numpy as np
from numpy.typing import NDArray

faiss: Any = faiss_module  # the stubs it ships miss half of it and are wrong about the rest

Kind = Literal["flat", "hnsw", "ivf"]
Matrix = NDArray[np.float32]
Positions = NDArray[np.int64]

FLAT_BELOW = 50_000  # vectors; one exact 384-d query there costs about 20 ms on one core
HNSW_BELOW = 500_000  # vectors; beyond it building the graph takes minutes
HNSW_LINKS = 32  # per vector and layer, twice that on the lowest
HNSW_BREADTH = 128  # least candidate list of a search
IVF_MOST_LISTS = 2_048
IVF_LEAST_PROBES = 32

_READ_LOCK = threading.Lock()  # FAISS's limit on what a file may allocate is process-wide


def choose_kind(count: int) -> Kind:
    """The kind that suits a collection of `count` vectors: exact as long as that is fast."""
    if count < FLAT_BELOW:
        return "flat"
    return "hnsw" if count < HNSW_BELOW else "ivf"


def new_index(kind: Kind, dimension: int, count: int) -> Any:  # noqa: ANN401  (no usable types)
    """An empty inner-product index laid out for `count` full float32 rows."""
    if kind == "flat":
        return faiss.IndexFlatIP(dimension)
    if kind == "hnsw":
        return faiss.IndexHNSWFlat(dimension, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    coarse = faiss.IndexFlatIP(dimension)
    lists = _list_count(count)
    index = faiss.IndexIVFFlat(coarse, dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1  # a small collection is no reason to warn
    index.cp.max_points_per_centroid = 64
    index.set_direct_map_type(faiss.DirectMap.Array)  # so that rows can be read back by position
    return index


def outgrown(index: Any, count: int) -> bool:  # noqa: ANN401
    """Whether the lists of an IVF index were trained on far fewer rows than `count`, or never."""
    if not isinstance(index, faiss.IndexIVF):
        return False
    return not index.is_trained or _list_count(count) > 4 * int(index.nlist)


def _list_count(count: int) -> int:
    """IVF lists for `count` rows: 4 * sqrt(n), with the 39 rows a list that k-means asks for."""
    return max(1, min(IVF_MOST_LISTS, int(4 * count**0.5), count // 39))


def rows_at(index: Any, positions: Sequence[int]) -> Matrix:  # noqa: ANN401
    """The rows at these positions, bit for bit as added; shape (len(positions), d)."""
    rows = np.empty((len(positions), int(index.d)), dtype=np.float32)
    if positions:
        index.reconstruct_batch(np.array(positions, dtype=np.int64), rows)
    return rows


def hiding(positions: Sequence[int]) -> Any:  # noqa: ANN401
    """A selector that leaves these positions out of a search; None where there are none."""
    if not positions:
        return None
    return faiss.IDSelectorNot(faiss.IDSelectorBatch(np.array(positions, dtype=np.int64)))


def nearest(
    index: Any,  # noqa: ANN401
    queries: Matrix,
    fetch: int,
    *,
    selector: Any,  # noqa: ANN401
    exhaustive: bool,
) -> tuple[Matrix, Positions]:
    """The `fetch` best scores and positions per query, best first; -1 where there is none.

    :param exhaustive: look at every row, past the graph and the lists.
    :returns: two arrays of shape (q, fetch).
    """
    if isinstance(index, faiss.IndexHNSW) and exhaustive:
        index = faiss.downcast_index(index.storage)
    if isinstance(index, faiss.IndexHNSW):
        breadth = max(HNSW_BREADTH, 2 * fetch)
        params = faiss.SearchParametersHNSW(efSearch=breadth, sel=selector)
    elif isinstance(index, faiss.IndexIVF):
        probes = index.nlist if exhaustive else max(IVF_LEAST_PROBES, index.nlist // 16)
        params = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
    else:
        params = faiss.SearchParameters(sel=selector)
    scores, positions = index.search(queries, fetch, params=params)
    return scores, positions


def write_index(index: Any, path: Path) -> None:  # noqa: ANN401
    """Write an index and force it to the disk.

    :raises OSError: if the file cannot be written whole.
    :raises RuntimeError: if FAISS cannot write the index.
    """
    with path.open("wb") as file:
        # through our own file: given a path, FAISS only warns when a full disk cuts off the end
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
        file.flush()
        os.fsync(file.fileno())


def read_index(path: Path, dimension: int, rows: int) -> Any:  # noqa: ANN401
    """The index in a file, which may allocate what `rows` rows need and little more.

    :raises RuntimeError: if the file is missing, damaged or larger than that.
    :raises MemoryError: if FAISS cannot allocate what it holds.
    """
    most_bytes = rows * (8 * dimension + 32 * HNSW_LINKS) + 2**20
    with _READ_LOCK:
        before = faiss.get_deserialization_vector_byte_limit()
        faiss.set_deserialization_vector_byte_limit(most_bytes)
        try:
            index = faiss.read_index(str(path))
        finally:
            faiss.set_deserialization_vector_byte_limit(before)
    if isinstance(index, faiss.IndexIVF):  # built anew, not believed: FAISS checks as it builds
        index.set_direct_map_type(faiss.DirectMap.NoMap)
        index.set_direct_map_type(faiss.DirectMap.Array)
    return index


def described(index: Any) -> str:  # noqa: ANN401
    """Type, dimension, number of rows and metric of an index and of what it keeps its rows in."""
    name = "IndexFlat" if isinstance(index, faiss.IndexFlat) else type(index).__name__
    text = f"{name}(dimension={index.d}, rows={index.ntotal}, metric={index.metric_type})"
    if isinstance(index, faiss.IndexHNSW):
        text += f" over {described(faiss.downcast_index(index.storage))}"
    return text
