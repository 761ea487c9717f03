"""The trained verifier's model: log-odds that evidence supports a claim (training/verifier.py).

What the base was trained for stays in it as two likenesses with a gain each: of the claim and the nearest
line, as means of their tokens, and of each of the claim's tokens and the nearest one of the evidence (late
interaction: Khattab and Zaharia, 2020, "ColBERT"). Evidence too long for one reading is read in windows; the
one that carries the claim best counts (Laban et al., 2022, "SummaC").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.models.engines.encoder import HiddenStates, read_windows
from rag.models.engines.tokens import plain_numbers, read_tokenizer, separators
from rag.models.heads import cosine, read_heads
from rag.models.windows import Window, windows_of

JUDGED_TOKENS_MAX = 288


class CrossEncoderEntailment:
    """Reads claims beside their evidence."""

    def __init__(self, hidden: HiddenStates, folder: Path) -> None:
        self._hidden = hidden
        self._tokenizer = read_tokenizer(folder)
        self._special = separators(self._tokenizer)
        self._heads = read_heads(folder)

    def logits(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """One per (sentence, evidence text: lines, a title or a sentence each), in order."""
        owners: list[int] = []
        windows: list[Window] = []
        for number, (sentence, evidence) in enumerate(claims):
            own = self._windows(sentence, evidence)
            owners += [number] * len(own)
            windows += own
        found = [-np.inf] * len(claims)
        for owner, value in zip(owners, self._scores(windows), strict=True):
            found[owner] = max(found[owner], value)
        return found

    def _windows(self, sentence: str, evidence: str) -> list[Window]:
        texts = [sentence, *(line for line in evidence.split("\n") if line)]
        claim, *lines = plain_numbers(self._tokenizer, texts)
        return windows_of(claim, (), lines, special=self._special, tokens_max=JUDGED_TOKENS_MAX)

    def _scores(self, windows: Sequence[Window]) -> list[float]:
        found = {i: self._output(states, windows[i]) for i, states in read_windows(self._hidden, windows)}
        return [found[i] for i in range(len(windows))]

    def _output(self, states: NDArray[np.float32], window: Window) -> float:
        heads = self._heads
        likeness = np.array([nearest_line(states, window), nearest_tokens(states, window)])
        return float(heads.weight[0] @ states[0] + heads.bias[0] + heads.gains[:2] @ likeness)


def nearest_line(states: NDArray[np.float32], window: Window) -> float:
    """The largest cosine, -1..1, of claim and line, as means of their tokens; -1 without lines.

    :param states: of one window, shape (tokens, width).
    """
    asked = states[: window.question_tokens].mean(0)
    lines = [states[start:end].mean(0) for start, end in window.spans if end > start]
    return max((cosine(line, asked) for line in lines), default=-1.0)


def nearest_tokens(states: NDArray[np.float32], window: Window) -> float:
    """Mean over the claim's tokens of the largest cosine with a token of the evidence; -1 without either.

    The precision of BERTScore (Zhang et al., 2020) read from the claim. `states`: shape (tokens, width).
    """
    rows = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
    claim = rows[1 : window.question_tokens - 1]
    told = np.concatenate([rows[start:end] for start, end in window.spans]) if window.spans else rows[:0]
    return float((claim @ told.T).max(axis=1).mean()) if len(claim) and len(told) else -1.0
