"""Which papers answer beside the first, by what was read of them; weights of the test's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import texts_of

from rag.evidence.contributing import Contributing, contributing_features
from rag.evidence.select import EvidenceSelection
from rag.models.logistic import LogisticModel
from rag.types import AskedQuestion, Kind, Paper, Passage, Question, Ranking, Relevance

PAPERS = [
    Paper(name.lower(), name, f"{name} is fast.") for name in ("Alpha", "Beta", "Gamma", "Delta", "Eta")
]
PASSAGES = [Passage(paper, rank, 0.5) for rank, paper in enumerate(PAPERS, start=1)]
BY_TELLING = Contributing(LogisticModel(0.0, {"telling": 1.0}), 0.5)
QUESTION = "How do Alpha and Beta compare with GPT-4?"


def read(telling: float | None, likelihood: float = 0.0) -> Relevance:
    return Relevance(0.25, 0.5, (0.0,), likelihood, telling)


def test_features_by_hand() -> None:
    first, other = Passage(PAPERS[0], 1, 0.75), Passage(PAPERS[1], 2, 0.5)
    found = contributing_features(QUESTION, other, first, read(-1.0, 5.0), read(2.0, 25.0))
    assert found == {
        "telling": -1.0,
        "telling_gap": -3.0,
        "gap": -2.0,
        "logit": 0.0,
        "logit_gap": pytest.approx(-np.log(3)),  # .75 is 3 to 1
        "about": 0.25,
        "answers": 0.5,
        "new_names": 1.0,  # Beta
        "lost_names": 1.0,  # Alpha; GPT-4 stands in neither
    }


def chosen(*telling: float | None) -> list[str]:
    known = {p.paper_id: read(own) for p, own in zip(PAPERS, telling, strict=False) if own is not None}
    return BY_TELLING("What is fast?", PASSAGES, known)


@pytest.mark.parametrize(
    ("telling", "told"),
    [
        ((-3.0, -1.0), ["alpha"]),  # the first in any case
        ((1.0, 0.0, -0.1), ["alpha", "beta"]),  # the bar itself is enough
        ((1.0, -1.0, 1.0), ["alpha", "gamma"]),
        ((1.0, None, 1.0), ["alpha", "gamma"]),  # what was not read cannot contribute
        ((1.0, 1.0, 1.0, 1.0, 1.0), ["alpha", "beta", "gamma", "delta"]),  # no more than four
        ((), []),
    ],
)
def test_the_first_and_what_probably_adds(telling: tuple[float | None, ...], told: list[str]) -> None:
    assert chosen(*telling) == told


def selection() -> EvidenceSelection:
    """Sentences score by their cosine, which is higher for each later paper."""

    def cosines(question: str, papers: Sequence[Paper], texts: object) -> list[np.ndarray]:
        return [np.array([PAPERS.index(paper) / 10], dtype=np.float32) for paper in papers]

    return EvidenceSelection(
        cosines,
        lambda term: 1.0,
        LogisticModel(0.0, {"cosine": 1.0}),
        LogisticModel(0.0, {}),
        BY_TELLING,
    )


def selected(kind: Kind, *telling: float | None) -> tuple[Kind, list[tuple[int, str]]]:
    """Of three papers, all read by the cross-encoder, and by the reader those with a number."""
    relevance = {p.paper_id: read(own) for p, own in zip(PAPERS[:3], telling, strict=True)}
    ranking = Ranking(tuple(PASSAGES[:3]), relevance, texts_of(*PAPERS))
    found = selection()(AskedQuestion(Question("q"), "What is fast?", kind), ranking)
    return found.kind, [(item.key, item.paper.paper_id) for item in found.sentences]


def test_where_a_reader_read_papers_it_says_which_are_told() -> None:
    assert selected("fact", 1.0, -1.0, 1.0) == ("collect", [(2, "gamma"), (1, "alpha")])
    assert selected("compare", 1.0, 1.0, -1.0) == ("compare", [(2, "beta"), (1, "alpha")])
    assert selected("collect", 1.0, -1.0, -1.0) == ("fact", [(1, "alpha")])
    assert selected("find", 1.0, None, None) == ("find", [(1, "alpha")])


def test_where_none_did_the_words_of_the_question_say_how_many() -> None:
    assert selected("fact", None, None, None) == ("fact", [(1, "gamma")])  # of the best sentence
    assert selected("find", None, None, None) == ("find", [(1, "gamma")])
    assert selected("collect", None, None, None) == ("collect", [(3, "gamma"), (2, "beta"), (1, "alpha")])
