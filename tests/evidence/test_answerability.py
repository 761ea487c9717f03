from __future__ import annotations

import math

import pytest

from rag.evidence.answerability import answer_features, confidence, missing_names
from rag.evidence.features import Candidate, Scored
from rag.models.logistic import LogisticModel
from rag.types import Paper, Passage

MIXER = Passage(Paper("m", "Monarch Mixer", "It is fast. It scales."), 1, 0.9)
RETRO = Passage(Paper("r", "Retro-Li", "It is robust."), 2, 0.6)
FIRST = Scored(Candidate(MIXER, 0, 11, 0, 0.2), 0.75)
SECOND = Scored(Candidate(RETRO, 0, 13, 0, 0.7), 0.25)


def idf(term: str) -> float:
    return {"fast": 3.0}.get(term, 1.0)


def test_features_by_hand():
    found = answer_features("How fast is Monarch on GPUs?", [MIXER, RETRO], [FIRST, SECOND], idf)
    assert found["sentence_logit"] == pytest.approx(math.log(3))  # .75 is 3 to 1
    assert found["second_logit"] == pytest.approx(-math.log(3))
    assert found["best_cosine"] == 0.7
    assert found["paper_score"] == 0.9
    assert found["paper_lead"] == pytest.approx(0.3)
    # asked: fast (3), monarch (1), gpus (1); the paper has the first two
    assert found["coverage_paper"] == pytest.approx(4 / 5)
    assert found["missing_mass"] == pytest.approx(0.1)
    assert found["missing_names"] == 0.5  # Monarch is there, GPUs is not
    assert found["number_asked"] == 1.0


def test_a_single_sentence_of_a_single_paper():
    found = answer_features("fast", [MIXER], [FIRST], idf)
    assert found["paper_lead"] == 0.9
    assert found["second_logit"] < -7.9  # as if it were improbable
    assert found["missing_mass"] == 0.0


def test_certainties_do_not_become_infinite():
    for probability in (0.0, 1.0):
        sure = Scored(FIRST.candidate, probability)
        assert abs(answer_features("q", [MIXER], [sure], idf)["sentence_logit"]) < 9


@pytest.mark.parametrize(
    ("question", "share"),
    [("Is it GPT-4?", 1.0), ("Is it Monarch or GPT-4?", 0.5), ("Is it Monarch?", 0.0), ("is it?", 0.0)],
)
def test_missing_names(question, share):
    assert missing_names(question, "monarch mixer") == share


def test_confidence_is_the_models_probability():
    assert confidence({"paper_score": 2.0}, LogisticModel(-2.0, {"paper_score": 1.0})) == 0.5
