"""The embedder as LangChain's `Embeddings`: unit vectors, local files only, no remote code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.errors import ModelCorrupt
from rag.models.engines.bert_graph import bert_supported
from rag.models.engines.encoder import HiddenStates, load_hidden, read_windows
from rag.models.engines.threads import set_torch_threads
from rag.models.engines.tokens import batches_by_length, filled, plain_numbers, read_tokenizer, separators
from rag.models.weights import ResolvedModel
from rag.models.windows import Window, windows_of
from rag.settings import Settings
from vectorstore.base import unit_rows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENS_MAX = 256
# In the folder of a model that was trained to tell sentences apart in their context.
IN_CONTEXT_FILE = "in_context.json"


class MeanEmbeddings(Embeddings):
    """Unit vectors: the mean of a text's hidden states. Texts of like length are read together."""

    def __init__(self, hidden: HiddenStates, tokenizer: Tokenizer) -> None:
        self._hidden = hidden
        self._tokenizer = tokenizer

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order."""
        vectors: list[list[float]] = self.vectors(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return self.embed_documents([text])[0]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, width), rows of length 1."""
        read = self._tokenizer.encode_batch(list(texts))
        rows: dict[int, NDArray[np.float32]] = {}
        for batch in batches_by_length([len(row.ids) for row in read]):
            ids, mask = filled([read[i].ids for i in batch])
            types, _ = filled([read[i].type_ids for i in batch])
            rows.update(zip(batch, mean_states(self._hidden(ids, mask, types), mask), strict=True))
        ordered = [rows[i] for i in range(len(texts))]
        return unit_rows(np.stack(ordered)) if ordered else np.zeros((0, 0), dtype=np.float32)


class ContextualEmbeddings(MeanEmbeddings):
    """The same of an embedder that was trained to tell sentences apart inside their abstract.

    "Late chunking" (Günther et al., 2024): a vector is the mean of the states of its own tokens, which
    have seen the title and the other sentences.
    """

    def __init__(self, hidden: HiddenStates, tokenizer: Tokenizer) -> None:
        """:raises OSError: if the tokenizer has no [CLS] or no [SEP]."""
        super().__init__(hidden, tokenizer)
        self._special = separators(tokenizer)

    def in_context(self, texts: Sequence[tuple[str, Sequence[str]]]) -> list[NDArray[np.float32]]:
        """See `ContextEmbeddings` of the index; not of length 1. What fits no window is in the next."""
        owners: list[int] = []
        windows: list[Window] = []
        for number, (title, sentences) in enumerate(texts):
            first, *rest = plain_numbers(self._tokenizer, [title, *sentences])
            own = windows_of(first, [], rest, special=self._special, tokens_max=TOKENS_MAX)
            windows += own
            owners += [number] * len(own)
        means: list[list[NDArray[np.float32]]] = [[] for _ in windows]
        unparted = [replace(window, question_tokens=len(window.ids)) for window in windows]
        for place, states in read_windows(self._hidden, unparted):
            parts = [(0, len(windows[place].ids)), *windows[place].spans]
            means[place] = [states[start:end].mean(0) if end > start else states[0] for start, end in parts]
        rows: list[list[NDArray[np.float32]]] = [[] for _ in texts]
        for owner, (whole, *told) in zip(owners, means, strict=True):
            rows[owner] += told if rows[owner] else [whole, *told]
        return [np.stack(row) for row in rows]


def mean_states(states: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """The mean over the real tokens: (batch, tokens, width) -> (batch, width)."""
    weights = mask.astype(np.float32)
    total = np.einsum("btw,bt->bw", states, weights)
    return np.asarray(total / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), dtype=np.float32)


def load_embedder(model: ResolvedModel, settings: Settings) -> Embeddings:
    """A sentence-transformers folder as `Embeddings`. Vectors are normalised (LangChain's default is not).

    :raises ModelCorrupt: if the folder holds no usable safetensors model.
    """
    if not _is_mean_bert(model.path):
        return _sentence_transformers(model, settings.threads)
    try:
        tokenizer = read_tokenizer(model.path, _tokens_max(model.path))
        kind = ContextualEmbeddings if (model.path / IN_CONTEXT_FILE).is_file() else MeanEmbeddings
        return kind(load_hidden(model, settings), tokenizer)
    except OSError as exc:
        raise _not_usable(model, exc) from exc


def _is_mean_bert(folder: Path) -> bool:
    """Whether the folder asks for no more than BERT, the mean of its states, and length 1."""
    steps = _read(folder / "modules.json", [])
    names = [str(step.get("type", "")).rpartition(".")[2] for step in steps]
    pooling = _read(folder / "1_Pooling" / "config.json", {})
    modes = [mode for mode, on in pooling.items() if mode.startswith("pooling_mode") and on is True]
    return (
        names[:2] == ["Transformer", "Pooling"]
        and set(names[2:]) <= {"Normalize"}
        and modes == ["pooling_mode_mean_tokens"]
        and bert_supported(folder)
        and (folder / "tokenizer.json").is_file()
    )


def _tokens_max(folder: Path) -> int:
    return int(_read(folder / "sentence_bert_config.json", {}).get("max_seq_length") or TOKENS_MAX)


def _read(path: Path, otherwise: Any) -> Any:  # noqa: ANN401 - JSON
    """The JSON of a file; `otherwise` when there is none of that shape."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise


def _sentence_transformers(model: ResolvedModel, threads: int | None) -> Embeddings:
    """Any other folder, through the library it was made for."""
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
        raise _not_usable(model, exc) from exc


def _not_usable(model: ResolvedModel, why: Exception) -> ModelCorrupt:
    return ModelCorrupt(
        f"{model.path}: not a sentence-transformers model with safetensors weights ({why})",
        hint="Run `citewise doctor` to see which models are usable.",
    )
