"""Sentence and chunk spans: for any text they lie in it, in order, and hold all that is written."""

from __future__ import annotations

import pytest
from fakes import PAPERS, chunks_of
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from rag.index.chunking import chunk_spans
from rag.index.chunks import paper_id_of
from rag.text.sentences import sentence_spans
from rag.types import Paper

PROSE = st.text(alphabet="abZ 1.,!?;:()[]'\"\n\r\té。…", max_size=300)
ANYTHING = st.one_of(
    PROSE,
    st.text(max_size=200),
    st.text(st.characters(exclude_categories=()), max_size=50),  # lone surrogates too
)


def assert_spans(text: str, spans: list[tuple[int, int]]) -> None:
    """In range, in order, apart, stripped, and together all characters that are not white space."""
    cursor = 0
    for start, end in spans:
        assert cursor <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert text[cursor:start].strip() == ""
        cursor = end
    assert text[cursor:].strip() == ""


@examples(max_examples=400, deadline=None)
@given(ANYTHING)
@example("One. One. One.")
@example("Dr. A. Smith et al. used 9.1 GB. \u2028Then\x0b stopped.")
@example("\ud800 Half a character. Then more.")
def test_sentence_spans_hold_every_word(text: str) -> None:
    assert_spans(text, sentence_spans(text))


@examples(max_examples=400, deadline=None)
@given(ANYTHING, st.integers(1, 40))
@example("aaa aaa aaa", 3)
def test_chunk_spans_hold_every_word_and_keep_the_limit(text: str, most: int) -> None:
    spans = chunk_spans(text, sentence_spans(text), chars_max=most)
    assert_spans(text, spans)
    assert all(end - start <= most for start, end in spans)


def test_sentences_of_an_abstract() -> None:
    text = "We use U.S. data, e.g. 9.1 GB. It works! Does it?  Yes."
    found = [text[start:end] for start, end in sentence_spans(text)]
    assert found == ["We use U.S. data, e.g. 9.1 GB.", "It works!", "Does it?", "Yes."]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.paper_id)
def test_chunks_name_their_paper_and_quote_only_the_abstract(paper: Paper) -> None:
    chunks = list(chunks_of(paper, ("abstract", "sentence")))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    assert {paper_id_of(chunk.chunk_id) for chunk in chunks} == {paper.paper_id}
    assert {chunk.view for chunk in chunks} == {"abstract", "sentence"}
    for chunk in chunks:
        assert chunk.text.startswith(paper.title)
        assert 0 <= chunk.start < chunk.end <= len(paper.abstract)


def test_a_paper_id_may_hold_the_mark_that_ends_it() -> None:
    paper = Paper("doi#10.1/x#2", "T", "One. Two.")
    assert {paper_id_of(c.chunk_id) for c in chunks_of(paper, ("sentence",))} == {"doi#10.1/x#2"}
