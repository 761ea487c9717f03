"""Chunks and sentences as vectors: alone, or in the text they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import MONARCH, HashEmbeddings

from rag.index.chunking import ChunkWithSentences, chunks_with_sentences
from rag.index.embedding import chunks_in, embedded
from rag.index.paper_text import read_paper
from rag.index.vector_journal import VectorJournal
from rag.models.embedder import ContextualEmbeddings
from rag.models.engines.tokens import Numbers
from rag.ports import ContextEmbeddings
from rag.types import Paper

PAPER = Paper("p", "Title", "One two. Three.")


class InContext(HashEmbeddings):
    """Rows that tell how long the title, and how long each text is."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Sequence[str]]] = []

    def in_context(self, texts: Sequence[tuple[str, Sequence[str]]]) -> list[np.ndarray]:
        self.asked += texts
        return [
            np.array([[3.0, 4.0], *([0.0, float(len(text))] for text in sentences)]) for _, sentences in texts
        ]


def chunked(paper: Paper) -> list[ChunkWithSentences]:
    return chunks_with_sentences(paper, read_paper(paper))


def test_which_embedders_read_in_context():
    assert isinstance(InContext(), ContextEmbeddings)
    assert not isinstance(HashEmbeddings(), ContextEmbeddings)


def test_an_embedder_that_reads_in_context_is_given_title_and_sentences_once():
    model = InContext()
    (rows,) = embedded(chunked(PAPER), model)
    assert model.asked == [("Title", ["One two.", "Three."])]
    assert model.embedded == []
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0.0, 1.0], [0.0, 1.0]]))  # of length 1
    (whole,) = embedded(chunked(PAPER), model, sentences=False)
    assert whole == pytest.approx(np.array([[0.6, 0.8]]))


@pytest.mark.parametrize("sentences", [True, False])
def test_any_other_is_given_each_text_with_its_title(sentences: bool):
    model = HashEmbeddings()
    readings = chunked(MONARCH)
    found = embedded(readings, model, sentences=sentences)
    texts = [chunk.text for reading in readings for chunk in chunks_in(reading, sentences=sentences)]
    assert model.embedded == texts
    assert np.concatenate(found) == pytest.approx(np.array(HashEmbeddings().embed_documents(texts)), abs=1e-6)
    assert embedded([], model) == []


def test_what_the_journal_knows_is_not_read_again(tmp_path: Path):
    model = InContext()
    first = embedded(chunked(PAPER), model, journal=VectorJournal(tmp_path, "m" * 64))
    again = embedded(
        [*chunked(PAPER), *chunked(Paper("q", "Other", "One two."))],
        model,
        journal=VectorJournal(tmp_path, "m" * 64),
    )
    assert len(model.asked) == 2
    assert again[0] == pytest.approx(first[0])
    assert again[1].shape == (2, 2)


class _Words:
    """A tokenizer: a word is its length."""

    def encode_batch(self, texts: Sequence[str], *, add_special_tokens: bool) -> list[object]:
        assert not add_special_tokens
        return [type("Row", (), {"ids": [len(word) for word in text.split()]}) for text in texts]

    def token_to_id(self, name: str) -> int:
        return {"[CLS]": 100, "[SEP]": 200}[name]


def _states(ids: Numbers, mask: Numbers, types: Numbers) -> np.ndarray:
    """A token's state is its number and one; the title is no part of its own."""
    assert not types.any()
    return np.stack([ids, mask], axis=2).astype(np.float32)


def test_vectors_are_means_over_their_own_tokens():
    model = ContextualEmbeddings(_states, _Words())  # type: ignore[arg-type]
    rows, other = model.in_context([("ab abc", ["a ab", "abcd"]), ("a", [""])])
    # [CLS] 2 3 [SEP] 1 2 4 [SEP]
    assert rows == pytest.approx(np.array([[(100 + 5 + 200 + 3 + 4 + 200) / 8, 1], [1.5, 1], [4, 1]]))
    assert other[1].tolist() == [100, 1]  # nothing to average: the first token
    assert model.in_context([]) == []


def test_a_text_too_long_for_one_window_goes_on_in_the_next():
    model = ContextualEmbeddings(_states, _Words())  # type: ignore[arg-type]
    (rows,) = model.in_context([("ab", ["a " * 200, "abc " * 100])])
    assert rows[1:].tolist() == [[1, 1], [3, 1]]
    assert rows[0, 0] == pytest.approx((100 + 2 + 200 + 200 * 1 + 200) / 204)  # the first window
