"""The last hidden states of a BERT, by OpenVINO or by torch: what embedder and cross-encoders stand on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelCorrupt
from rag.models.engines.choose import engine_for
from rag.models.engines.compiled import compiled
from rag.models.engines.threads import set_torch_threads
from rag.models.engines.tokens import Numbers, batches_by_length, filled
from rag.models.weights import ResolvedModel
from rag.models.windows import Window
from rag.settings import Settings

_SHARE_MIN = 0.7  # the end of a long abstract beside its beginning would be mostly filling

States = NDArray[np.float32]


class HiddenStates(Protocol):
    """Reads batches of token numbers. May be called from several threads."""

    def __call__(self, ids: Numbers, mask: Numbers, types: Numbers) -> States:
        """Inputs (batch, tokens); mask 1 where a token is real. Returns (batch, tokens, width)."""
        ...


def load_hidden(model: ResolvedModel, settings: Settings) -> HiddenStates:
    """The hidden states of a BERT folder by the engine of these settings.

    :raises ModelCorrupt: if the folder holds no usable BERT.
    :raises ModelMissing: if OpenVINO is demanded and not there.
    """
    if engine_for(model.path, "encoder", settings) == "openvino":
        graph = compiled(model, "encoder", cache_dir=settings.cache_dir, threads=settings.threads)
        return OpenVinoHiddenStates(graph)
    return TorchHiddenStates(_torch_bert(model, settings))


def read_windows(hidden: HiddenStates, windows: Sequence[Window]) -> Iterator[tuple[int, States]]:
    """(place, states) of each window, read in batches of like length; filling stands behind its tokens."""
    for batch in batches_by_length([len(window.ids) for window in windows], share_min=_SHARE_MIN):
        ids, mask = filled([windows[i].ids for i in batch])
        types, _ = filled([windows[i].segments for i in batch])
        yield from zip(batch, hidden(ids, mask, types), strict=True)


class OpenVinoHiddenStates:
    """A compiled graph (`rag.models.engines.bert_graph`)."""

    def __init__(self, graph: Any) -> None:  # noqa: ANN401 - an openvino.CompiledModel
        self._request = graph.create_infer_request()
        self._reading = threading.Lock()

    def __call__(self, ids: Numbers, mask: Numbers, types: Numbers) -> States:
        """See `HiddenStates`."""
        with self._reading:
            found = self._request.infer({"ids": ids, "mask": mask, "types": types}, share_inputs=True)
            states: States = found[0].copy()  # the buffer is the request's own
        return states


class TorchHiddenStates:
    """The reference: transformers' `BertModel` in float32."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - a BertModel
        self._model = model

    def __call__(self, ids: Numbers, mask: Numbers, types: Numbers) -> States:
        """See `HiddenStates`."""
        import torch

        with torch.inference_mode():
            found = self._model(
                input_ids=torch.from_numpy(ids),
                attention_mask=torch.from_numpy(mask),
                token_type_ids=torch.from_numpy(types),
            )
            states: States = found.last_hidden_state.numpy()
        return states


def _torch_bert(model: ResolvedModel, settings: Settings) -> Any:  # noqa: ANN401 - a BertModel
    import torch
    import transformers

    set_torch_threads(settings.threads)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # a pooler that nobody asks for is no news
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        loaded = transformers.BertModel.from_pretrained(
            model.path,
            add_pooling_layer=False,
            dtype=torch.float32,
            use_safetensors=True,
            attn_implementation="sdpa",
            local_files_only=True,
        )
    except (OSError, ValueError, RuntimeError) as exc:
        raise ModelCorrupt(
            f"{model.path}: not a BERT with safetensors weights ({exc})",
            hint="Run `citewise doctor` to see which models are usable.",
        ) from exc
    return loaded.eval()  # type: ignore[no-untyped-call]
