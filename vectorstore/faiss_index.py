"""What this project asks of FAISS: two layouts of inner-product index, built, searched, written, read.

Flat keeps full rows. The other keeps codes: IVF lists of product-quantised rows, 4 bits for each two
numbers, scanned in registers (Andre, Kermarrec and Le Scouarnec, "Cache locality is not enough", VLDB 2015);
who searches it scores its candidates again with the full rows. Knows positions only, no ids; raises what
FAISS raises.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import faiss as faiss_module
import numpy as np
from numpy.typing import NDArray

faiss: Any = faiss_module  # the stubs it ships miss half of it and are wrong about the rest

Matrix = NDArray[np.float32]
Positions = NDArray[np.int64]

ROWS_PER_LIST = 39  # what k-means asks for to place a centre
SAMPLE_PER_LIST = 64  # rows looked at to place one
MOST_LISTS = 1_024  # more are placed worse from a sample, and looking for the nearest takes its time
K_MEANS_ROUNDS = 8
CODE_BITS = 4

_READ_LOCK = threading.Lock()  # FAISS's limit on what a file may allocate is process-wide


def new_flat(dimension: int) -> Any:  # noqa: ANN401  (no usable types)
    """An empty inner-product index over full float32 rows."""
    return faiss.IndexFlatIP(dimension)


def list_count(count: int) -> int:
    """IVF lists for `count` rows: 2 * sqrt(n), bounded."""
    return max(1, min(MOST_LISTS, int(2 * count**0.5), count // ROWS_PER_LIST))


def new_coded(dimension: int, count: int) -> Any:  # noqa: ANN401
    """An untrained index of codes laid out for `count` rows."""
    coarse = faiss.IndexFlatIP(dimension)
    lists, parts = list_count(count), _code_parts(dimension)
    index = faiss.IndexIVFPQFastScan(coarse, dimension, lists, parts, CODE_BITS, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = K_MEANS_ROUNDS
    index.cp.min_points_per_centroid = 1  # a small collection is no reason to warn
    index.cp.max_points_per_centroid = SAMPLE_PER_LIST
    index.pq.cp.min_points_per_centroid = 1
    return index


def _code_parts(dimension: int) -> int:
    """How many codes a row has: one for two numbers, where two divide the row."""
    return dimension // 2 if dimension % 2 == 0 else dimension


def hiding(positions: Positions) -> Any:  # noqa: ANN401
    """A selector that leaves these positions out of a search; None where there are none."""
    return faiss.IDSelectorNot(faiss.IDSelectorBatch(positions)) if len(positions) else None


def nearest(
    index: Any,  # noqa: ANN401
    queries: Matrix,
    fetch: int,
    *,
    probes: int = 0,
    selector: Any = None,  # noqa: ANN401
) -> tuple[Matrix, Positions]:
    """The `fetch` best scores and positions per query, best first; -1 where there is none.

    :param probes: lists looked at, where there are lists.
    :returns: two arrays of shape (q, fetch).
    """
    if isinstance(index, faiss.IndexIVF):
        params = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
    else:
        params = faiss.SearchParameters(sel=selector)
    scores, positions = index.search(queries, fetch, params=params)
    return scores, positions


def reconstructed(index: Any, positions: Positions) -> Matrix:  # noqa: ANN401
    """The rows a flat index keeps at these positions, bit for bit as added; shape (len(positions), d)."""
    rows = np.empty((len(positions), int(index.d)), dtype=np.float32)
    if len(positions):
        index.reconstruct_batch(positions, rows)
    return rows


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
    """The index in a file, which may allocate what `rows` full rows and a graph need and little more.

    :raises RuntimeError: if the file is missing, damaged or larger than that.
    :raises MemoryError: if FAISS cannot allocate what it holds.
    """
    most_bytes = max(rows, MOST_LISTS) * (8 * dimension + 1024) + 2**20
    with _READ_LOCK:
        before = faiss.get_deserialization_vector_byte_limit()
        faiss.set_deserialization_vector_byte_limit(most_bytes)
        try:
            return faiss.read_index(str(path))
        finally:
            faiss.set_deserialization_vector_byte_limit(before)


def rows_of_older(index: Any) -> Matrix | None:  # noqa: ANN401
    """All rows of an HNSW or IVF index as 0.1.0 first wrote them; None if it is another."""
    if isinstance(index, faiss.IndexHNSWFlat):
        index = faiss.downcast_index(index.storage)
        if not isinstance(index, faiss.IndexFlat):
            return None
    elif isinstance(index, faiss.IndexIVFFlat):  # built anew, not believed: FAISS checks as it builds
        index.set_direct_map_type(faiss.DirectMap.NoMap)
        index.set_direct_map_type(faiss.DirectMap.Array)
    else:
        return None
    return reconstructed(index, np.arange(index.ntotal))


def coded_as_expected(index: Any, dimension: int, count: int) -> tuple[str, ...]:  # noqa: ANN401
    """How `described` may describe an index of codes for `count` rows: with codes, or not trained yet."""
    blank = described(new_coded(dimension, 0))
    lists = int(getattr(index, "nlist", 0))
    trained = blank.replace("rows=0", f"rows={count}", 1).replace("rows=0", f"rows={lists}")
    return trained, blank


def described(index: Any) -> str:  # noqa: ANN401
    """Type, dimension, number of rows and metric of an index, and of what its codes mean."""
    name = "IndexFlat" if isinstance(index, faiss.IndexFlat) else type(index).__name__
    text = f"{name}(dimension={index.d}, rows={index.ntotal}, metric={index.metric_type}"
    if isinstance(index, faiss.IndexIVFPQFastScan):
        codes = f"{index.pq.M} of {index.pq.nbits} bits"
        text += f", codes={codes}, coarse={described(faiss.downcast_index(index.quantizer))}"
    return text + ")"
