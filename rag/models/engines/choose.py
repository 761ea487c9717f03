"""Which library runs the transformer models, OpenVINO or torch, and with what precision.

OpenVINO when it is installed and the graph is one this package builds; torch, the reference, otherwise.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Literal

from rag.errors import ModelMissing
from rag.models.engines.bert_graph import bert_supported
from rag.models.engines.graph import Precision
from rag.models.engines.llama_graph import llama_supported
from rag.settings import Settings

Engine = Literal["torch", "openvino"]
Role = Literal["encoder", "decoder"]


def _decoder_supported(folder: Path) -> bool:
    return llama_supported(folder) and (folder / "tokenizer.json").is_file()


_SUPPORTED = {"encoder": bert_supported, "decoder": _decoder_supported}


def preferred_engine(settings: Settings) -> Engine:
    """What runs the models that both engines can run: part of what identifies an answer."""
    installed = importlib.util.find_spec("openvino") is not None
    return "openvino" if installed and settings.engine != "torch" else "torch"


def engine_for(folder: Path, role: Role, settings: Settings) -> Engine:
    """What runs the model of a folder under these settings.

    :raises ModelMissing: if OpenVINO is demanded and not installed, or cannot run this model.
    """
    if settings.engine == "torch":
        return "torch"
    installed = importlib.util.find_spec("openvino") is not None
    if installed and _SUPPORTED[role](folder):
        return "openvino"
    if settings.engine == "auto":
        return "torch"
    if not installed:
        raise ModelMissing("OpenVINO is not installed", hint='Run: pip install "openvino>=2026.2"')
    raise ModelMissing(
        f"{folder}: OpenVINO runs BERT encoders and Llama decoders here, not this model",
        hint="Set CITEWISE_ENGINE=auto: torch runs it.",
    )


def precision_for(role: Role) -> Precision:
    """How weights are kept: int8, but float16 for encoders where the processor multiplies bfloat16.

    Measured (eval/LOG.md): there bfloat16 is as fast as int8 and ten times nearer to the reference. Decoding
    is bound by the size of the weights, so int8 wins for it everywhere.
    """
    return "float16" if role == "encoder" and multiplies_bfloat16() else "int8"


@cache
def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for it, and OpenVINO uses them."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
