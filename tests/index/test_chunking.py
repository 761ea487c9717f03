from __future__ import annotations

import pytest
from fakes import chunks_of

from rag.index.chunking import chunk_spans, chunks_with_sentences
from rag.index.chunks import paper_id_of
from rag.index.paper_text import read_paper
from rag.text.sentences import sentence_spans
from rag.types import Paper

ABSTRACT = "We gain 3.5% on GLUE. Results (e.g. on SST) hold, cf. Fig. 2.  It scales!"

EMPTY = Paper("p", "T", "")


def test_sentences_are_not_cut_at_numbers_or_abbreviations():
    assert [ABSTRACT[a:b] for a, b in sentence_spans(ABSTRACT)] == [
        "We gain 3.5% on GLUE.",
        "Results (e.g. on SST) hold, cf. Fig. 2.",
        "It scales!",
    ]


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_no_sentence(text):
    assert sentence_spans(text) == []


def test_sentences_within_numbered_items_are_told_apart():
    text = "We add tools. i) It is fast. It is good. ii) It scales. We do."
    found = [text[start:end] for start, end in sentence_spans(text)]
    assert found == ["We add tools.", "i) It is fast.", "It is good.", "ii) It scales.", "We do."]


def test_equal_sentences_have_their_own_places():
    # five characters and a space each
    assert sentence_spans("Good. Good. Good.") == [(0, 5), (6, 11), (12, 17)]


def test_a_long_text_is_cut_at_its_sentences():
    text = "First of all. Then more. At last."
    assert [text[a:b] for a, b in chunk_spans(text, sentence_spans(text), chars_max=26)] == [
        "First of all. Then more.",
        "At last.",
    ]


def test_the_views_of_a_paper():
    paper = Paper("p#1", "A Title", "One is here. Two is there.")
    chunks = list(chunks_of(paper, ("abstract", "sentence")))
    assert [chunk.chunk_id for chunk in chunks] == ["p#1#a0", "p#1#s0", "p#1#s13"]
    assert [paper.abstract[c.start : c.end] for c in chunks] == [
        "One is here. Two is there.",
        "One is here.",
        "Two is there.",
    ]
    assert chunks[2].text == "A Title. Two is there."
    assert (chunks[2].title, chunks[2].body) == ("A Title", "Two is there.")
    assert {paper_id_of(chunk.chunk_id) for chunk in chunks} == {"p#1"}


def test_only_the_views_asked_for():
    assert [c.view for c in chunks_of(Paper("p", "T", "One."), ("sentence",))] == ["sentence"]
    assert list(chunks_of(Paper("p", "T", ""), ("abstract", "sentence"))) == []


def test_a_sentence_longer_than_a_chunk_is_cut_at_white_space():
    text = "Short one. A sentence of many words goes on and on. End."
    pieces = [text[a:b] for a, b in chunk_spans(text, sentence_spans(text), chars_max=16)]
    assert pieces == ["Short one.", "A sentence of", "many words goes", "on and on. End."]
    assert all(len(piece) <= 16 for piece in pieces)


def test_each_sentence_is_read_in_the_chunk_it_begins_in():
    sentences = [f"Sentence {n} is {'very ' * 60}long." for n in range(8)]
    paper = Paper("p", "T", " ".join([*sentences, "word " * 300 + "end."]))
    readings = chunks_with_sentences(paper, read_paper(paper))
    assert len(readings) > 3
    assert [s.chunk_id for r in readings for s in r.sentences] == [
        f"p#s{start}" for start, _ in sentence_spans(paper.abstract)
    ]
    assert all(r.whole.start <= s.start < r.whole.end for r in readings for s in r.sentences)
    assert readings[-1].sentences == ()  # the rest of a sentence that began before
    assert chunks_with_sentences(EMPTY, read_paper(EMPTY)) == []
