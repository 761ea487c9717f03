from __future__ import annotations

import pytest

from rag.chunking import chunk_spans, chunks_of, paper_id_of, sentence_spans
from rag.types import Paper

ABSTRACT = "We gain 3.5% on GLUE. Results (e.g. on SST) hold, cf. Fig. 2.  It scales!"


def test_sentences_are_not_cut_at_numbers_or_abbreviations():
    assert [ABSTRACT[a:b] for a, b in sentence_spans(ABSTRACT)] == [
        "We gain 3.5% on GLUE.",
        "Results (e.g. on SST) hold, cf. Fig. 2.",
        "It scales!",
    ]


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_no_sentence(text):
    assert sentence_spans(text) == []


def test_equal_sentences_have_their_own_places():
    # five characters and a space each
    assert sentence_spans("Good. Good. Good.") == [(0, 5), (6, 11), (12, 17)]


def test_a_long_text_is_cut_at_its_sentences():
    text = "First of all. Then more. At last."
    assert [text[a:b] for a, b in chunk_spans(text, chars_max=26)] == ["First of all. Then more.", "At last."]


def test_the_views_of_a_paper():
    paper = Paper("p#1", "A Title", "One is here. Two is there.")
    chunks = list(chunks_of(paper, ("title", "abstract", "sentence")))
    assert [chunk.chunk_id for chunk in chunks] == ["p#1#t0", "p#1#a0", "p#1#s0", "p#1#s13"]
    assert [paper.abstract[c.start : c.end] for c in chunks] == [
        "",
        "One is here. Two is there.",
        "One is here.",
        "Two is there.",
    ]
    assert chunks[3].text.endswith("Title. Two is there.")
    assert {paper_id_of(chunk.chunk_id) for chunk in chunks} == {"p#1"}


def test_only_the_views_asked_for():
    assert [c.view for c in chunks_of(Paper("p", "T", "One."), ("sentence",))] == ["sentence"]
    assert list(chunks_of(Paper("p", "T", ""), ("abstract", "sentence"))) == []
