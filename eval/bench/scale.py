"""`python -m eval.bench.scale vectors|retrieval`: what search costs in large collections.

    citewise ingest abstracts.jsonl.gz --collection many          real vectors, made once
    python -m eval.bench.scale vectors --collection many --count 1000000
    python -m eval.bench.scale retrieval --collection many

Questions are those of eval/questions. Wall time depends on who else uses the machine, CPU time less so: both
are told.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from eval.bench.extended import Matrix, extended, recall, truth
from eval.questions.questions import load
from rag.index.embedding import Embedder
from rag.index.paper_index import PaperIndex, open_index
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root, open_embedder
from rag.retrieve.retrievers import HybridRetriever
from rag.retrieve.scores import dense_ranking
from rag.settings import Settings
from vectorstore.faiss_store import FaissStore, Kind

app = typer.Typer(add_completion=False, no_args_is_help=True)
Collection = Annotated[str, typer.Option(help="A collection that was ingested.")]
HITS = (10, 100)  # 100: as many as retrieval asks for where an abstract has two chunks


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds a call: wall median and 95th percentile, and mean CPU time of all threads."""

    median_ms: float
    p95_ms: float
    cpu_ms: float


def times(walls: list[float], cpu: float) -> Times:
    """Of wall seconds per call and the CPU seconds of all calls."""
    ordered = sorted(walls)
    p95 = ordered[min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)]
    return Times(1e3 * float(np.median(ordered)), 1e3 * p95, 1e3 * cpu / len(ordered))


def timed(run: Callable[[Any], Any], items: Iterable[Any]) -> tuple[list[Any], Times]:
    """What `run` returns for each item, and how long it took."""
    found, walls, began = [], [], time.process_time()
    for item in items:
        start = time.perf_counter()
        found.append(run(item))
        walls.append(time.perf_counter() - start)
    return found, times(walls, time.process_time() - began)


@app.command()
def vectors(
    collection: Collection,
    *,
    count: Annotated[int, typer.Option(min=1, help="Extend the real vectors to so many.")] = 1_000_000,
    kinds: Annotated[str, typer.Option(help="Names, with commas.")] = "flat,coded",
    queries: Annotated[int, typer.Option(min=1)] = 200,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("scale-vectors.json"),
) -> None:
    """Build seconds, bytes, memory, milliseconds and recall of each kind of store."""
    index, embedder = _opened(collection)
    real = index.store.vectors(index.store.ids())
    asked = np.stack([QueryEncoder(embedder.model).query(text) for text in _questions(queries)])
    rows = extended(real, count)
    wanted = truth(rows, asked, min(max(HITS), count))
    found = []
    for kind in kinds.split(","):
        found.append({"kind": kind, **measured(kind, rows, asked, wanted)})  # type: ignore[arg-type]
        typer.echo(json.dumps(found[-1]), err=True)
    _report({"real": len(real), "count": count, "kinds": found}, out)


def measured(kind: Kind, rows: Matrix, queries: Matrix, wanted: Any) -> dict[str, Any]:  # noqa: ANN401
    """One kind over these rows, saved and opened as an index is."""
    with tempfile.TemporaryDirectory(prefix="citewise-scale-") as name:
        wall, cpu = time.perf_counter(), time.process_time()
        store = FaissStore(rows.shape[1], kind)
        store.add([str(number) for number in range(len(rows))], rows)
        files = store.save(Path(name))
        built = {"build_s": time.perf_counter() - wall, "build_cpu_s": time.process_time() - cpu}
        del store
        before = memory_mb()
        store = FaissStore.load(Path(name), dimension=rows.shape[1], count=len(rows))
        after = memory_mb()
        store.search(queries, 1)
        record: dict[str, Any] = {
            **built,
            "bytes": {path.name: path.stat().st_size for path in files},
            "memory_mb": after - before,
        }
        for k in HITS:
            numbers, took = timed(partial(_best, store, k), queries)
            share = recall([row[:k].tolist() for row in wanted], numbers)
            record[f"best_{k}"] = {"recall": share, **asdict(took)}
    return record


def _best(store: FaissStore, k: int, query: Matrix) -> list[int]:
    """The numbers of the k nearest rows."""
    return [int(hit.id) for hit in store.search(query[None], k)[0]]


@app.command()
def retrieval(
    collection: Collection,
    *,
    queries: Annotated[int, typer.Option(min=1)] = 200,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("scale-retrieval.json"),
) -> None:
    """Embedding, dense, lexical and the whole of retrieval, in milliseconds a question."""
    index, embedder = _opened(collection)
    asked, known = _questions(queries), Settings.load()
    encoder = QueryEncoder(embedder.model)
    whole = HybridRetriever(index=index, settings=known, encoder=QueryEncoder(embedder.model, kept=1))
    whole.passages("a question that is not measured")
    stages: dict[str, Callable[[str], Any]] = {
        "embed": encoder.query,
        "dense": lambda text: dense_ranking(index, encoder, text, known.dense_top_k),
        "lexical": lambda text: index.lexical.search(text, known.lexical_top_k),
        "retrieve": whole.passages,
    }
    record = {name: asdict(timed(run, asked)[1]) for name, run in stages.items()}
    size = {"papers": len(index), "vectors": len(index.store)}
    _report({**size, "stages": record}, out)


def memory_mb() -> float:
    """What this process alone holds: mapped files are not counted, the system may drop them."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else 0.0


def _opened(collection: str) -> tuple[PaperIndex, Embedder]:
    settings = Settings.load()
    embedder = open_embedder(settings)
    root = collection_root(settings, collection)
    return open_index(root, embedding_checksum=embedder.checksum), embedder


def _questions(count: int) -> list[str]:
    return [gold.question.text for gold in load("all")][:count]


def _report(record: dict[str, Any], out: Path) -> None:
    record = {**record, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}
    out.write_text(json.dumps(record, indent=1), encoding="utf-8")
    typer.echo(json.dumps(record, indent=1))


if __name__ == "__main__":
    sys.exit(app())
