from __future__ import annotations

import math

import pytest

from rag.evidence.answerability import (
    AnswerConfidence,
    answer_features,
    confidence,
    final_features,
)
from rag.evidence.features import Candidate, Scored
from rag.models.logistic import LogisticModel
from rag.text.names import missing_names
from rag.types import Outcome, Paper, Passage, Relevance

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


def read(passage: Passage, relevance: Relevance) -> Scored:
    return Scored(Candidate(passage, 0, 11, 0, 0.2, relevance), 0.75)


def test_what_was_read_of_the_papers_by_hand():
    rows = [
        read(MIXER, Relevance(0.5, 1.0, (-1.0, 2.0), likelihood=12.0, telling=3.0)),
        read(RETRO, Relevance(0.0, 4.0, (0.0,))),
    ]
    found = answer_features("q", [MIXER, RETRO], rows, idf)
    names = ("answers", "answers_most", "about", "carries", "likelihood", "telling", "was_read")
    assert [found[name] for name in names] == [1.0, 4.0, 0.5, 2.0, 1.2, 3.0, 1.0]
    assert found["likelihood*telling"] == pytest.approx(3.6)


def test_what_the_reader_did_not_read_says_nothing():
    found = answer_features("q", [MIXER], [read(MIXER, Relevance(0.0, 0.0, ()))], idf)
    names = ("carries", "likelihood", "telling", "was_read")
    assert [found[name] for name in names] == [-10.0, 0.0, 0.0, 0.0]
    assert "telling" not in answer_features("q", [MIXER], [FIRST], idf)


@pytest.mark.parametrize(("odds", "told"), [(200.0, 8.0), (-200.0, -8.0), (7.5, 7.5)])
def test_no_reader_is_surer_than_eight(odds, told):
    own = Relevance(0.0, 0.0, (), likelihood=0.0, telling=odds)
    assert answer_features("q", [MIXER], [read(MIXER, own)], idf)["telling"] == told
    after = final_features(0.5, Outcome(0.0, telling=odds, right=odds))
    assert (after["telling"], after["right"]) == (told, told)


@pytest.mark.parametrize(
    ("outcome", "features"),
    [
        (Outcome(0.0), {"stood": 0.0, "support": 0.0}),
        (Outcome(0.8), {"stood": 1.0, "support": 0.8}),
        # without the reader's word on the paper that on the answer counts in no weights
        (Outcome(0.8, right=2.0), {"stood": 1.0, "support": 0.8}),
        (
            Outcome(0.0, telling=-1.5),
            {"stood": 0.0, "support": 0.0, "telling": -1.5, "right": 0.0, "judged": 0.0},
        ),
        (
            Outcome(0.8, telling=2.0, right=0.0),
            {"stood": 1.0, "support": 0.8, "telling": 2.0, "right": 0.0, "judged": 1.0},
        ),
    ],
)
def test_what_writing_and_reading_came_to(outcome, features):
    before = {"prior": pytest.approx(math.log(3)), "missing_names": 0.0, "first": 0.0, "several": 0.0}
    before["rests"] = 0.0
    assert final_features(0.75, outcome) == {**before, **features}


def test_names_that_are_missing_and_the_place_of_the_first_paper_count_too():
    found = final_features(0.5, Outcome(0.0, missing=0.5, first=0.75, several=True, rests=0.25))
    assert (found["missing_names"], found["first"]) == (0.5, pytest.approx(math.log(3)))
    assert (found["several"], found["rests"]) == (1.0, 0.25)


def test_weights_by_whether_a_reader_was_asked():
    sure = AnswerConfidence(
        read=LogisticModel(-1.0, {"telling": 2.0}), unread=LogisticModel(0.0, {"prior": 1.0})
    )
    assert sure.probability(0.75, Outcome(0.9)) == pytest.approx(0.75)
    assert sure.probability(0.75, Outcome(0.9, telling=0.5)) == 0.5  # -1 + 2 * 0.5 = 0


ALIKE = AnswerConfidence(
    read=LogisticModel(0.0, dict.fromkeys(("prior", "stood", "support", "telling", "right"), 1.0)),
    unread=LogisticModel(0.0, {"prior": 1.0, "support": 1.0}),
)


@pytest.mark.parametrize(
    ("prior", "outcome", "told"),
    [
        (0.5, Outcome(0.9), "fit the question only in part"),  # 3 - 0, against .05
        (0.999, Outcome(0.5), "carry the answer only loosely"),
        (0.999, Outcome(0.95), ""),  # nothing falls short
        (0.999, Outcome(0.9, telling=1.0, right=3.0), "abstract may not say this"),  # 3, against 1
        (0.999, Outcome(0.9, telling=3.0, right=-2.0), "reader doubts"),  # 6, against 1
        (0.5, Outcome(0.9, telling=3.0, right=3.0), "fit the question only in part"),
        (0.999, Outcome(0.0, telling=4.0), "No sentence of the model's own"),  # 1, against .95
        (0.5, Outcome(0.0, telling=4.0), "fit the question only in part"),  # nobody judged: no doubt of it
    ],
)
def test_what_speaks_most_against_an_answer_is_said(prior, outcome, told):
    doubt = ALIKE.doubt(prior, outcome)
    assert told in doubt
    assert bool(doubt) == bool(told)


def test_what_counts_for_nothing_is_no_doubt():
    unweighed = AnswerConfidence(LogisticModel(0.0, {}), LogisticModel(0.0, {"prior": -1.0}))
    assert unweighed.doubt(0.5, Outcome(0.0, telling=-8.0, right=-8.0)) == ""
    assert unweighed.doubt(0.5, Outcome(0.0)) == ""
