"""The trained cross-encoders over hidden states of the test's own: each token's state is its number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tokenizers")
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from rag.models.entailment import CrossEncoderEntailment
from rag.models.reranker import CrossEncoderReranker
from rag.types import Relevance

WORDS = ["[UNK]", "[CLS]", "[SEP]", "how", "fast", "title", "it", "is", "nine"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def heads(
    folder: Path, weight: list[list[float]], bias: list[float], gains: list[float] | None = None
) -> None:
    tensors = {"heads.weight": np.array(weight, np.float16), "heads.bias": np.array(bias, np.float16)}
    if gains:
        tensors["heads.gains"] = np.array(gains, np.float32)
    save_file(tensors, folder / "heads.safetensors")


def numbers_as_states(ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Width 2: the token's number, and its segment."""
    return np.stack([ids * mask, types * mask], axis=2).astype(np.float32)


def test_one_reading_scores_paper_and_sentences_by_hand(folder: Path) -> None:
    heads(folder, [[1, 0], [2, 0], [1, 10]], [0.5, 0, 0])
    reader = CrossEncoderReranker(numbers_as_states, folder)
    # [CLS] is 1: about 1 + .5, answers 2. Sentence means: (6 + 7) / 2 = 6.5 and 8, each + 10 for segment 1.
    assert reader.read("how fast", [("title", ["it is", "nine"])]) == [Relevance(1.5, 2.0, (16.5, 18.0))]


def test_likeness_to_the_question_is_added_by_its_gain(folder: Path) -> None:
    heads(folder, [[0, 0], [0, 0], [0, 0]], [0, 0, 0], gains=[1, 2, 10])
    reader = CrossEncoderReranker(numbers_as_states, folder)
    # The question's mean is (1 + 3 + 4 + 2) / 4 = 2.5, segment 0; "it" is (6, 1): cosine 6 / sqrt(37) = .9864
    (reading,) = reader.read("how fast", [("title", ["it", ""])])
    assert reading.carries == (pytest.approx(9.864, abs=1e-3), 0.0)
    assert (reading.about, reading.answers) == (
        pytest.approx(0.9864, abs=1e-3),
        pytest.approx(1.9728, abs=1e-3),
    )


def test_papers_of_any_length_keep_their_order(folder: Path) -> None:
    heads(folder, [[1, 0], [2, 0], [1, 0]], [0, 0, 0])
    reader = CrossEncoderReranker(numbers_as_states, folder)
    papers = [("title", ["it"]), ("title", ["it is nine"] * 300), ("title", [])]
    found = reader.read("how fast", papers)
    assert [len(reading.carries) for reading in found] == [1, 300, 0]
    assert found[0].carries == (6.0,)
    assert set(found[1].carries) == {7.0}
    assert reader.read("how fast", []) == []


def test_a_claim_is_judged_beside_its_evidence_by_hand(folder: Path) -> None:
    heads(folder, [[3, 0]], [-1])
    judge = CrossEncoderEntailment(numbers_as_states, folder)
    assert judge.logits([("it is nine", "title"), ("it", "title nine")]) == [2.0, 2.0]
    assert judge.logits([]) == []
