"""The embedder as LangChain's `Embeddings`: unit vectors, local files only, no remote code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelCorrupt
from rag.models.resolve import ResolvedModel
from rag.models.threads import set_torch_threads

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


def load_embedder(model: ResolvedModel, *, threads: int | None = None) -> Embeddings:
    """A sentence-transformers folder as `Embeddings`. Vectors are normalised (LangChain's default is not).

    :raises ModelCorrupt: if the folder holds no usable safetensors model.
    """
    import transformers
    from langchain_huggingface import HuggingFaceEmbeddings

    set_torch_threads(threads)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return HuggingFaceEmbeddings(
            model_name=str(model.path),
            model_kwargs={
                "device": "cpu",
                "local_files_only": True,
                "trust_remote_code": False,
                "model_kwargs": {"use_safetensors": True},
            },
            encode_kwargs={"normalize_embeddings": True, "batch_size": 64},
        )
    except (OSError, ValueError, RuntimeError) as exc:
        raise ModelCorrupt(
            f"{model.path}: not a sentence-transformers model with safetensors weights ({exc})",
            hint="Run `citewise doctor` to see which models are usable.",
        ) from exc


def unit_rows(vectors: list[list[float]] | NDArray[np.float32]) -> NDArray[np.float32]:
    """float32, rows of length 1: what a drop-in embedder may not have done. Zero rows stay zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    lengths[lengths == 0] = 1.0
    return np.asarray(rows / lengths, dtype=np.float32)
