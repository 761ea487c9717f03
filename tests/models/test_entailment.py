"""What the verifier's model is told besides the first token, on states written by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tokenizers")
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from rag.models.entailment import JUDGED_TOKENS_MAX, CrossEncoderEntailment, nearest_line, nearest_tokens
from rag.models.windows import Window

# [CLS] claim claim [SEP] | line 1: one token | line 2: two tokens | [SEP]
WINDOW = Window((1, 5, 6, 2, 7, 8, 9, 2), 4, ((4, 5), (5, 7)))
STATES = np.array(
    [[1, 0], [1, 0], [0, 2], [1, 0], [3, 0], [0, 1], [0, 3], [9, 9]],
    dtype=np.float32,
)


def test_the_nearest_line_by_hand() -> None:
    # claim (3, 2) / 4 beside line 1 (3, 0) and line 2 (0, 2): cosines 3 / sqrt(13), 2 / sqrt(13)
    assert nearest_line(STATES, WINDOW) == pytest.approx(3 / math.sqrt(13))


def test_each_token_of_the_claim_has_its_nearest() -> None:
    assert nearest_tokens(STATES, WINDOW) == pytest.approx(1.0)
    one_line = Window((1, 5, 6, 2, 7, 2), 4, ((4, 5),))
    assert nearest_tokens(STATES, one_line) == pytest.approx(0.5)  # 1 and 0


@pytest.mark.parametrize("window", [Window((1, 5, 2, 2), 3, ()), Window((1, 2, 7, 2), 2, ((2, 3),))])
def test_nothing_is_like_nothing(window: Window) -> None:
    assert nearest_tokens(STATES, window) == -1.0


def test_no_line_is_near_without_lines() -> None:
    assert nearest_line(STATES, Window((1, 5, 2, 2), 3, ())) == -1.0


def test_a_line_the_tokenizer_knows_nothing_of_is_no_line() -> None:
    blank = Window((1, 5, 6, 2, 7, 2), 4, ((4, 4), (4, 5)))
    assert nearest_line(STATES, blank) == pytest.approx(3 / math.sqrt(13))
    assert nearest_line(STATES, Window((1, 5, 6, 2, 2), 4, ((4, 4),))) == -1.0


WORDS = ["[UNK]", "[CLS]", "[SEP]", "claim", "wrong", "right"]


@pytest.fixture
def judge(tmp_path: Path) -> CrossEncoderEntailment:
    """The first token's only state is 5 where 'right' is read, else 1; the likenesses count for nothing."""
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    heads = {"heads.weight": np.ones((1, 1)), "heads.bias": np.full(1, -2.0), "heads.gains": np.zeros(2)}
    save_file({k: v.astype(np.float32) for k, v in heads.items()}, tmp_path / "heads.safetensors")

    def hidden(ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> np.ndarray:
        states = np.ones((*ids.shape, 1), dtype=np.float32)
        states[:, 0, 0] = np.where((ids == WORDS.index("right")).any(1), 5.0, 1.0)
        return states

    return CrossEncoderEntailment(hidden, tmp_path)


def test_the_window_that_carries_the_claim_best_counts(judge: CrossEncoderEntailment) -> None:
    line = "wrong " * (JUDGED_TOKENS_MAX - 10)
    evidence = "\n".join([line, line, "right"])
    assert judge.logits([("claim", evidence), ("claim", line), ("claim", "")]) == [3.0, -1.0, -1.0]
    assert judge.logits([]) == []
