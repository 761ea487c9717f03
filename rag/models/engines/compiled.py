"""A model folder as an OpenVINO graph on disk, made once, and compiled for this processor when opened."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from rag.errors import ModelCorrupt
from rag.models.engines.bert_graph import bert_graph
from rag.models.engines.choose import Role, multiplies_bfloat16, precision_for
from rag.models.engines.graph import GROUP, Precision
from rag.models.engines.llama_graph import llama_graph
from rag.models.engines.threads import threads_of
from rag.models.weights import ResolvedModel
from rag.storage.built import built_once

_log = logging.getLogger(__name__)
# Part of the folder's name: a change to how graphs are built makes them anew.
GRAPH_VERSION = 4
_BUILDERS = {"encoder": bert_graph, "decoder": llama_graph}
_FILE = "graph.xml"


def graph_folder(model: ResolvedModel, cache_dir: Path, precision: Precision) -> Path:
    """Where the graph of a model lies: named by its weights and configuration, the precision, the builder."""
    configuration = (model.path / "config.json").read_bytes()
    identity = hashlib.sha256(model.checksum.encode() + configuration).hexdigest()
    return cache_dir / "models" / f"{model.path.name}-openvino-{precision}-{GRAPH_VERSION}-{identity[:12]}"


def compiled(model: ResolvedModel, role: Role, *, cache_dir: Path, threads: int | None) -> Any:  # noqa: ANN401 - an openvino.CompiledModel
    """The compiled graph of a model folder; the graph is built on first use (2 s for SmolLM2-135M).

    :raises ModelCorrupt: if the folder's weights do not fit its configuration.
    """
    import openvino

    chosen = precision_for(role)
    try:
        target = graph_folder(model, cache_dir, chosen)
        built_once(target, lambda folder: _build(model.path, role, chosen, folder))
        core = openvino.Core()
        return core.compile_model(core.read_model(target / _FILE), "CPU", _options(role, chosen, threads))
    except (OSError, KeyError, ValueError, RuntimeError) as exc:
        raise ModelCorrupt(
            f"{model.path}: not a usable model ({exc})",
            hint="Run `citewise doctor` to see which models are usable.",
        ) from exc


def _build(source: Path, role: Role, precision: Precision, folder: Path) -> None:
    import openvino

    _log.info("building the OpenVINO graph of %s in %s", source.name, precision)
    openvino.serialize(_BUILDERS[role](source, precision), folder / _FILE)


def _options(role: Role, precision: Precision, threads: int | None) -> dict[str, str]:
    """States in float16; threads are not pinned: others run here too.

    bfloat16 where the processor has it, but float32 in encoders of int8, which lose more. A decoder's
    activations are rounded in the groups of its weights (docs/decisions/0010-openvino-graphs.md).
    """
    exact = role == "encoder" and precision == "int8"
    own = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP)} if role == "decoder" else {}
    return own | {
        "INFERENCE_NUM_THREADS": str(threads_of(threads)),
        "INFERENCE_PRECISION_HINT": "bf16" if multiplies_bfloat16() and not exact else "f32",
        "KV_CACHE_PRECISION": "f16",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": "NO",
    }
