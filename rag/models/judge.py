"""The trained verifier's model: log-odds that evidence supports a claim (training/verifier.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.models.heads import read_heads
from rag.models.hidden import HiddenStates
from rag.models.tokens import batches_by_length, filled, read_tokenizer, separators
from rag.models.windows import pair_of

PAIR_TOKENS_MAX = 288


class CrossJudge:
    """Reads claims beside their evidence."""

    def __init__(self, hidden: HiddenStates, folder: Path) -> None:
        self._hidden = hidden
        self._tokenizer = read_tokenizer(folder)
        self._special = separators(self._tokenizer)
        self._heads = read_heads(folder)

    def logits(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """One per (sentence, evidence text: a title line and sentences, one a line), in order."""
        rows = [self._pair(sentence, evidence) for sentence, evidence in claims]
        found: dict[int, float] = {}
        for batch in batches_by_length([len(ids) for ids, _ in rows]):
            ids, mask = filled([rows[i][0] for i in batch])
            types = mask.copy()
            for row, i in enumerate(batch):
                types[row, : rows[i][1]] = 0
            states = self._hidden(ids, mask, types)
            for row, i in enumerate(batch):
                found[i] = float(self._heads.weight[0] @ states[row, 0] + self._heads.bias[0])
        return [found[i] for i in range(len(rows))]

    def _pair(self, sentence: str, evidence: str) -> tuple[list[int], int]:
        claim, told = (
            row.ids for row in self._tokenizer.encode_batch([sentence, evidence], add_special_tokens=False)
        )
        return pair_of(claim, told, special=self._special, tokens_max=PAIR_TOKENS_MAX)
