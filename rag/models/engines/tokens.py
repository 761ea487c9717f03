"""Texts as token numbers in rectangular batches, without transformers: `tokenizer.json` and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Numbers = NDArray[np.int64]

TOKENS_AT_ONCE = 1024  # of a batch, filling included: small ones hold texts of like length, and stay in cache


def read_tokenizer(folder: Path, tokens_max: int | None = None) -> Tokenizer:
    """The tokenizer of a model folder: no filling, cut at `tokens_max`.

    :raises OSError: if the folder has no readable `tokenizer.json`.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as exc:
        raise OSError(f"{path}: not a tokenizer ({exc})") from exc
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if tokens_max is not None:
        tokenizer.enable_truncation(tokens_max)
    return tokenizer


def separators(tokenizer: Tokenizer) -> tuple[int, int]:
    """The numbers of [CLS] and [SEP], which begin and part what a BERT reads.

    :raises OSError: if the tokenizer has none.
    """
    first, between = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    if first is None or between is None:
        raise OSError("the tokenizer has no [CLS] or no [SEP]")
    return int(first), int(between)


def plain_numbers(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Token numbers of each text, without [CLS] and [SEP]."""
    return [row.ids for row in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def batches_by_length(
    lengths: Sequence[int], tokens_max: int = TOKENS_AT_ONCE, *, share_min: float = 0.0
) -> list[list[int]]:
    """Positions, texts of like length together, longest first; no batch over `tokens_max` with filling.

    `share_min`: a text shorter than this share of a batch's longest does not join it.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for position in order:
        longest = lengths[batches[-1][0]] if batches else 0
        fits = batches and (len(batches[-1]) + 1) * longest <= tokens_max
        if fits and lengths[position] >= share_min * longest:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches


def filled(
    rows: Sequence[Sequence[int]], *, left: bool = False, filler: int = 0, multiple: int = 1
) -> tuple[Numbers, Numbers]:
    """(numbers, mask), each (rows, width): filled up behind, or before when `left`.

    The width is that of the longest row, rounded up to a multiple.
    """
    width = -(-max((len(row) for row in rows), default=0) // multiple) * multiple
    numbers = np.full((len(rows), width), filler, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        numbers[i, place] = row
        mask[i, place] = 1
    return numbers, mask
