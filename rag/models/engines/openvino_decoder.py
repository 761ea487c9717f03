"""Greedy decoding with a stateful OpenVINO graph: int8 weights, keys and values kept inside it.

Rows that are finished leave the batch: the next step goes on from the others' state alone. What is read only
to score a text after it is read by itself, so that no prompt's score depends on the others, and once where
its states are kept (`rag.models.engines.kv_cache`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.models.engines.chat_template import ChatTokens, Turns
from rag.models.engines.decoder import LIKELIHOOD_TOKENS_MAX, failures_are_ours
from rag.models.engines.kv_cache import PrefixStore
from rag.models.engines.stopping import is_finished
from rag.models.engines.tokens import Numbers, batches_by_length, filled

_PROMPT_TOKENS_AT_ONCE = 8192  # prompts written together: the more, the less often the weights are read
_WIDTH_MULTIPLE = 8  # a prompt of 137 tokens, which is prime, takes a fifth longer than one of 144
_UNFINISHED = "\ufffd"  # what a tokenizer writes for half a character


class OpenVinoDecoder:
    """See `rag.models.engines.decoder.Decoder`."""

    def __init__(self, graph: Any, tokens: ChatTokens, prefixes: PrefixStore | None = None) -> None:  # noqa: ANN401 - a CompiledModel
        self._request = graph.create_infer_request()
        self._scoring = graph.create_infer_request()  # with a state of its own, beside what is being written
        self._scored = threading.Lock()
        self._tokens = tokens
        self._prefixes = prefixes

    def prompt(self, turns: Turns) -> str:
        """See `Decoder`."""
        return self._tokens.prompt(turns)

    def count(self, text: str) -> int:
        """See `Decoder`."""
        return len(self._tokens.numbers(text))

    def write(self, prompts: Sequence[str], stop: Sequence[str], tokens_max: int) -> list[str]:
        """See `Decoder`. Prompts of like length are decoded together, so that little is filled up."""
        read = [self._cut(prompt, tokens_max) for prompt in prompts]
        texts: dict[int, str] = {}
        for batch in batches_by_length([len(row) for row in read], _PROMPT_TOKENS_AT_ONCE):
            written: list[list[int]] = []
            for step in self._steps([read[i] for i in batch], stop, tokens_max):
                written = step
            texts.update(zip(batch, map(self._tokens.text, written), strict=True))
        return [texts[i] for i in range(len(prompts))]

    def pieces(self, prompt: str, stop: Sequence[str], tokens_max: int) -> Generator[str, None, None]:
        """See `Decoder`."""
        text, told = "", 0
        for (written,) in self._steps([self._cut(prompt, tokens_max)], stop, tokens_max):
            text = self._tokens.text(written)
            if len(text) > told and not text.endswith(_UNFINISHED):
                yield text[told:]
                told = len(text)
        if len(text) > told:
            yield text[told:]

    def likelihoods(self, prompts: Sequence[str], text: str) -> list[float]:
        """See `Decoder`."""
        told = self._tokens.numbers(text)[:LIKELIHOOD_TOKENS_MAX]
        if not told or not prompts:
            return [0.0] * len(prompts)
        read = [self._cut(prompt, len(told)) for prompt in prompts]
        with self._scored, failures_are_ours():
            return [self._likelihood_after(row, told) for row in read]

    def _likelihood_after(self, prompt: list[int], told: list[int]) -> float:
        """After one prompt, of which all but the last token may have been read before."""
        wanted = len(told) + 1
        self._scoring.reset_state()
        if self._prefixes is None:
            whole = self._filled([[*prompt, *told]])
            logits = _logits(self._scoring, *whole, np.zeros(1), last=wanted)
        else:
            *before, last = prompt
            self._go_on_after(before, self._prefixes)
            logits = self._read([last, *told], past=len(before), last=wanted)
        return log_probabilities(logits[:, :-1], told)[0]

    def _go_on_after(self, before: list[int], prefixes: PrefixStore) -> None:
        """Bring the states of these tokens back, or read them and keep their states."""
        kept = prefixes.get(before)
        if kept is not None:
            for state in self._scoring.query_state():
                state.state = _tensor(kept[state.name])
        elif before:
            self._read(before, past=0, last=1)
            states = self._scoring.query_state()
            prefixes.put(before, {s.name: np.asarray(s.state.data, dtype=np.float16) for s in states})

    def _read(self, row: Sequence[int], *, past: int, last: int) -> NDArray[np.float32]:
        """Logits (1, last, vocabulary) of a row that goes on after `past` tokens."""
        mask = np.ones((1, past + len(row)), dtype=np.int64)
        positions = np.arange(past, past + len(row))[None, :]
        return _logits(self._scoring, np.array([row]), mask, positions, np.zeros(1), last=last)

    def _filled(self, rows: Sequence[Sequence[int]]) -> tuple[Numbers, Numbers, Numbers]:
        """Token numbers, mask and positions, filled up before to a width that is multiplied well."""
        ids, mask = filled(rows, left=True, filler=self._tokens.filler, multiple=_WIDTH_MULTIPLE)
        return ids, mask, np.maximum(mask.cumsum(axis=1) - 1, 0)

    def _cut(self, prompt: str, tokens_max: int) -> list[int]:
        """The prompt's end where it does not fit the window."""
        return self._tokens.numbers(prompt)[-(self._tokens.window - tokens_max) :]

    def _steps(
        self, prompts: Sequence[list[int]], stop: Sequence[str], tokens_max: int
    ) -> Iterator[list[list[int]]]:
        """What is written so far after each token, a list a prompt."""
        written: list[list[int]] = [[] for _ in prompts]
        alive = list(range(len(prompts)))
        ids, mask, positions = self._filled(prompts)
        places = np.arange(len(prompts))
        self._request.reset_state()
        for _ in range(tokens_max):
            chosen = self._next(ids, mask, positions, places)
            places = np.array(
                [p for p, row in enumerate(alive) if self._goes_on(written[row], chosen[p], stop)]
            )
            yield written
            if not len(places):
                return
            alive = [alive[place] for place in places]
            ids = chosen[places, None]
            mask = np.concatenate([mask[places], np.ones_like(ids)], axis=1)
            positions = positions[places, -1:] + 1

    def _next(self, ids: Numbers, mask: Numbers, positions: Numbers, places: Numbers) -> Numbers:
        """The likeliest next token of each row; `places` says which row of the last step it goes on from."""
        with failures_are_ours():
            logits = _logits(self._request, ids, mask, positions, places, last=1)
        return np.asarray(logits[:, -1].argmax(axis=-1), dtype=np.int64)

    def _goes_on(self, written: list[int], chosen: int, stop: Sequence[str]) -> bool:
        """Append the token, unless it ends the text; whether more may follow."""
        if int(chosen) in self._tokens.ends:
            return False
        written.append(int(chosen))
        return not is_finished(self._tokens.text(written), stop)


def _logits(
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


def _tensor(values: NDArray[np.float16]) -> Any:  # noqa: ANN401 - an openvino.Tensor
    import openvino

    return openvino.Tensor(values.astype(np.float32))


def log_probabilities(logits: NDArray[np.float32], told: Sequence[int]) -> list[float]:
    """Sums over a text's tokens: logits (rows, tokens, vocabulary), the number of each token."""
    largest = logits.max(axis=2)
    total = np.log(np.exp(logits - largest[:, :, None]).sum(axis=2)) + largest
    own = logits[:, np.arange(len(told)), list(told)]
    return [float(row) for row in (own - total).sum(axis=1)]
