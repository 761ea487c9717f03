"""Papers put in order by how likely each makes the question: what is asked, and what follows from it."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from rag.models.engines.openvino_decoder import log_probabilities
from rag.models.logistic import LogisticModel, logit
from rag.rerank.query_likelihood import (
    by_likelihood,
    likelihood_features,
    question_messages,
    telling,
    with_likelihoods,
)
from rag.types import Paper, Passage, Ranking, Relevance

A = Paper("a", "Alpha", "Apples are red. Pears are green. Plums are blue. Figs are brown.")
B = Paper("b", "Beta", "Beta is fast.")
C = Paper("c", "Gamma", "Gamma is slow.")
BY_GAP = LogisticModel(0.0, {"logit": 1.0, "gap": 10.0})


class Told:
    """Says what the test wrote; `asked` keeps the conversations."""

    def __init__(self, *likelihoods):
        self.said, self.asked = list(likelihoods), []

    def likelihoods(self, conversations, text):
        self.asked.append((list(conversations), text))
        return self.said[: len(conversations)]


def read(*scores, gains=(None, None, None)):
    """Alpha, Beta, Gamma with these scores."""
    papers = (A, B, C)[: len(scores)]
    carries = {"a": (0.1, 0.4, 0.3, 0.2), "b": (0.0,), "c": (0.0,)}
    passages = tuple(
        Passage(p, rank, score) for rank, (p, score) in enumerate(zip(papers, scores, strict=True), 1)
    )
    readings = {
        p.paper_id: Relevance(0.0, 0.0, carries[p.paper_id], gain)
        for p, gain in zip(papers, gains, strict=False)
    }
    return Ranking(passages, readings)


def test_the_most_telling_sentences_are_told_in_their_order():
    assert (
        telling(A, Relevance(0, 0, (0.1, 0.4, 0.3, 0.2)))
        == "Pears are green. Plums are blue. Figs are brown."
    )
    assert telling(B, Relevance(0, 0, (0.0,))) == "Beta is fast."


def test_one_paper_tells_no_more_than_a_page():
    long = Paper("l", "Long", "x" * 5000 + ".")
    assert len(telling(long, Relevance(0, 0, (1.0,)))) == 1200


def test_what_the_model_is_asked():
    system, user = question_messages("Alpha", "One is a.")
    assert system == SystemMessage("Write a question that this paper answers.")
    assert user == HumanMessage("Title: Alpha\nAbstract: One is a.")


def test_gains_are_over_the_question_alone_and_only_of_the_first():
    model = Told(-20.0, -31.5, -30.0)
    found = with_likelihoods("What is fast?", read(0.5, 0.4, 0.3), model, 2)
    assert {key: own.likelihood for key, own in found.relevance.items()} == {"a": 10.0, "b": -1.5, "c": None}
    ((conversations, text),) = model.asked
    assert text == "What is fast?"
    assert [c[1].content.split("\n")[0] for c in conversations] == ["Title: Alpha", "Title: Beta", "Title: "]


def test_features_by_hand():
    found = likelihood_features(Passage(A, 1, 0.5), 10.0, 25.0)
    assert found == {"logit": 0.0, "gain": 1.0, "gap": -1.5}


def test_the_likelier_paper_comes_first_and_the_unasked_stay_behind():
    # log-odds 0 - 10 * 1.15 = -11.5 for Alpha; Beta keeps its own
    found = by_likelihood(read(0.5, 0.4, 0.3, gains=(10.0, 21.5, None)), BY_GAP)
    assert [(p.paper.paper_id, p.rank) for p in found.passages] == [("b", 1), ("a", 2), ("c", 3)]
    alpha = 1 / (1 + exp(11.5))
    assert [p.score for p in found.passages] == pytest.approx([0.4, alpha, alpha])
    assert logit(0.5) == 0.0


def test_nothing_asked_changes_nothing():
    given = read(0.5, 0.4)
    assert by_likelihood(given, BY_GAP) is given


def test_equal_papers_stand_by_id():
    found = by_likelihood(read(0.5, 0.5, gains=(3.0, 3.0)), BY_GAP)
    assert [p.paper.paper_id for p in found.passages] == ["a", "b"]


def test_log_probabilities_by_hand():
    # two tokens of a vocabulary of two, each one half, for the first row; 3/4 and 1/4 for the second
    logits = np.log(np.array([[[1, 1], [1, 1]], [[3, 1], [3, 1]]], dtype=np.float32))
    assert log_probabilities(logits, [0, 1]) == pytest.approx([2 * np.log(0.5), np.log(0.75) + np.log(0.25)])
