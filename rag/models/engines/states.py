"""One inference of a stateful decoder graph, from nothing or from the kept states of what was read before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.models.engines.decoder import Reading
from rag.models.engines.kv_cache import States
from rag.models.engines.tokens import Numbers, filled

Tokens = tuple[list[int], list[int]]  # of an opening, which may be empty, and of the rest
_WIDTH_MULTIPLE = 8  # a prompt of 137 tokens, which is prime, takes a fifth longer than one of 144


def after(
    request: Any,  # noqa: ANN401 - an InferRequest
    batch: Sequence[Tokens],
    kept: Sequence[States] | None,
    filler: int,
    *,
    last: int,
) -> tuple[NDArray[np.float32], Numbers, Numbers]:
    """Logits (batch, last, vocabulary) behind openings and rests; the mask, the positions.

    :param kept: what was read of each opening; None: openings are read now.
    """
    request.reset_state()
    if kept is None:
        whole = [[*opening, *rest] for opening, rest in batch]
        ids, mask = filled(whole, left=True, filler=filler, multiple=_WIDTH_MULTIPLE)
        positions = np.maximum(mask.cumsum(axis=1) - 1, 0)
    else:
        lengths = np.array([len(opening) for opening, _ in batch])
        past = _restore(request, kept, lengths)
        ids, own = filled([rest for _, rest in batch], left=True, filler=filler)
        positions = np.where(own > 0, lengths[:, None] + own.cumsum(axis=1) - 1, 0)
        mask = np.concatenate([past, own], axis=1)
    return logits_of(request, ids, mask, positions, np.arange(len(batch)), last=last), mask, positions


def logits_of(
    request: Any,  # noqa: ANN401 - an InferRequest
    ids: Numbers,
    mask: Numbers,
    positions: Numbers,
    rows: NDArray[Any],
    *,
    last: int,
) -> NDArray[np.float32]:
    """Logits (batch, last, vocabulary) of `rag.models.engines.llama_graph`; valid until the next call."""
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "position_ids": positions,
        "beam_idx": rows.astype(np.int32),
        "last": np.array([last]),
    }
    logits: NDArray[np.float32] = request.infer(inputs, share_inputs=True)[0]
    return logits


def _restore(request: Any, kept: Sequence[States], lengths: Numbers) -> Numbers:  # noqa: ANN401
    """Put states side by side, filled up before, into a request; which of their places are real."""
    import openvino

    longest = int(lengths.max())
    real = (np.arange(longest)[None, :] >= longest - lengths[:, None]).astype(np.int64)
    for state in request.query_state():
        _, groups, _, width = kept[0][state.name].shape
        beside = np.zeros((len(kept), groups, longest, width), dtype=np.float32)
        for row, (states, length) in enumerate(zip(kept, lengths, strict=True)):
            beside[row, :, longest - length :] = states[state.name][0]
        state.state = openvino.Tensor(beside)
    return real


def reading_of(logits: NDArray[np.float32], rest: Sequence[int], words: Sequence[int]) -> Reading:
    """See `Reading`. `logits`: (tokens, vocabulary) behind each of the last tokens of the rest."""
    told = list(rest)[len(rest) - len(logits) + 1 :]
    likelihood = log_probabilities(logits[None, :-1], told)[0] if told else 0.0
    last = logits[-1].astype(np.float64)
    return Reading(likelihood, tuple(float(value) for value in last[list(words)] - _log_total(last)))


def log_probabilities(logits: NDArray[np.float32], told: Sequence[int]) -> list[float]:
    """Sums over a text's tokens: logits (rows, tokens, vocabulary), the number of each token."""
    own = logits[:, np.arange(len(told)), list(told)]
    return [float(row) for row in (own - _log_total(logits)).sum(axis=1)]


def _log_total(logits: NDArray[Any]) -> NDArray[Any]:
    """The logarithm of the sum of exponentials over the vocabulary, the last axis."""
    largest = logits.max(axis=-1)
    total: NDArray[Any] = np.log(np.exp(logits - largest[..., None]).sum(axis=-1)) + largest
    return total
