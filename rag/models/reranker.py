"""The trained reranker, a cross-encoder: one reading of question and abstract scores paper and sentences.

MiniLM with three outputs (training/reranker.py): the paper is what the question is about, it answers it, and
for each sentence whether it carries the answer. A sentence is read in its context.
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
from rag.ports import Abstract
from rag.types import Relevance


class CrossEncoderReranker:
    """The reranker over hidden states of a BERT."""

    def __init__(self, hidden: HiddenStates, folder: Path) -> None:
        self._hidden = hidden
        self._tokenizer = read_tokenizer(folder)
        self._special = separators(self._tokenizer)
        self._heads = read_heads(folder)

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        """See `Reranker.read`."""
        (asked,) = plain_numbers(self._tokenizer, [question])
        windows: list[tuple[int, Window]] = []
        for number, (title, sentences) in enumerate(papers):
            first, *rest = plain_numbers(self._tokenizer, [title, *sentences])
            found = windows_of(asked, first, rest, special=self._special)
            windows += [(number, window) for window in found]
        whole = np.full((len(papers), 2), -np.inf, dtype=np.float32)
        carries: list[list[float]] = [[] for _ in papers]
        for (number, _), (logits, own) in zip(windows, self._scores([w for _, w in windows]), strict=True):
            whole[number] = np.maximum(whole[number], logits)
            carries[number] += own
        return [
            Relevance(float(about), float(answers), tuple(own))
            for (about, answers), own in zip(whole, carries, strict=True)
        ]

    def _scores(self, windows: Sequence[Window]) -> list[tuple[NDArray[np.float32], list[float]]]:
        """Per window the two logits of the whole and one per sentence, in the order given."""
        found = {i: self._outputs(states, windows[i]) for i, states in read_windows(self._hidden, windows)}
        return [found[i] for i in range(len(windows))]

    def _outputs(
        self, states: NDArray[np.float32], window: Window
    ) -> tuple[NDArray[np.float32], list[float]]:
        """The first token, and the mean of each sentence, weighed; and their likeness to the question."""
        heads = self._heads
        asked = states[: window.question_tokens].mean(0)
        means = [states[start:end].mean(0) if end > start else asked * 0 for start, end in window.spans]
        likeness = [cosine(mean, asked) for mean in means]
        whole = heads.weight[:2] @ states[0] + heads.bias[:2] + heads.gains[:2] * max(likeness, default=-1.0)
        own = [
            float(heads.weight[2] @ mean + heads.bias[2] + heads.gains[2] * like)
            for mean, like in zip(means, likeness, strict=True)
        ]
        return whole, own
