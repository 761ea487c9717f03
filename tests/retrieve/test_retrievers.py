"""The cosine of a paper, against the formula spelt out, to the bit; chunk ids without the abstract."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from fakes import MONARCH, PAPERS, HashEmbeddings, built

from rag.index.chunking import chunk_spans
from rag.index.query_encoder import QueryEncoder
from rag.retrieve.scores import paper_cosines
from rag.text.sentences import sentence_spans
from rag.types import Paper

LONG = Paper("long", "Long", " ".join(f"Sentence number {n} tells of butterflies." for n in range(60)))
# ids that begin like another's vectors
TRICKY = (Paper("x", "X", "Short."), Paper("x#a1", "Y", "Also short. Two."), Paper("x#a1#a0", "Z", "Third."))


def chunks(text: str) -> list[tuple[int, int]]:
    return chunk_spans(text, sentence_spans(text))


@pytest.fixture
def index(tmp_path: Path):
    return built(tmp_path / "index", [*PAPERS, LONG, *TRICKY])


@pytest.mark.parametrize(("view", "spans_of"), [("abstract", chunks), ("sentence", sentence_spans)])
def test_chunk_ids_are_those_of_the_text_in_its_order(index, view, spans_of) -> None:
    for paper in index.all_papers():
        wanted = [f"{paper.paper_id}#{view[0]}{start}" for start, _ in spans_of(paper.abstract)]
        assert index.chunk_ids(paper.paper_id, view) == wanted
    assert len(index.chunk_ids("long", "sentence")) == 60
    assert index.chunk_ids("nobody", view) == []


@pytest.mark.parametrize("views", [("abstract", "sentence"), ("abstract",)])
def test_a_papers_cosine_is_the_mean_of_its_best_ones(index, views) -> None:
    index.manifest = dataclasses.replace(index.manifest, views=views)
    encoder, question = QueryEncoder(HashEmbeddings()), "How fast is Monarch Mixer?"
    query = encoder.query(question)
    papers, best = list(index.all_papers()), []
    for view, spans_of in (("abstract", chunks), ("sentence", sentence_spans)):
        if view in views:
            ids = [[f"{p.paper_id}#{view[0]}{start}" for start, _ in spans_of(p.abstract)] for p in papers]
            cosines = index.store.vectors([chunk_id for own in ids for chunk_id in own]) @ query
            parts = np.split(cosines, np.cumsum([len(own) for own in ids])[:-1])
            best.append([part.max(initial=0.0) for part in parts])
    wanted = {p.paper_id: float(np.mean(row)) for p, row in zip(papers, zip(*best, strict=True), strict=True)}
    assert paper_cosines(index, encoder, question, list(wanted)) == wanted
    assert paper_cosines(index, encoder, question, [MONARCH.paper_id]).keys() == {MONARCH.paper_id}
    assert paper_cosines(index, encoder, question, []) == {}
