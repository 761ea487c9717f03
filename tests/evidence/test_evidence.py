from __future__ import annotations

import pytest
from fakes import texts_of

from rag.evidence.features import Scored, candidates_of, coverage, score, sentence_features
from rag.evidence.select import collected_papers, kind_of_papers, select
from rag.models.logistic import LogisticModel
from rag.types import Paper, Passage

MIXER = Paper("m", "Monarch Mixer", "Mixers are fast. They reach 9.1x throughput. They scale.")
RETRO = Paper("r", "Retro-Li", "Retrieval helps small models. It is robust.")
FIRST, SECOND = Passage(MIXER, 1, 0.9), Passage(RETRO, 2, 0.6)
CANDIDATES = candidates_of(
    [FIRST, SECOND], [[0.1, 0.8, 0.2], [0.3, 0.4]], texts_of(FIRST.paper, SECOND.paper), {}
)
# Only the cosine counts, so that probabilities are known: 1 / (1 + exp(-cosine)).
BY_COSINE = LogisticModel(0.0, {"cosine": 1.0})


def idf(term: str) -> float:
    return {"fast": 3.0, "mixer": 1.0}.get(term, 2.0)


def scored(*rows: tuple[Passage, int, float]) -> list[Scored]:
    """Scored candidates from (passage, sentence number, probability), in this order."""
    own = {(c.passage.paper.paper_id, c.position): c for c in CANDIDATES}
    return [Scored(own[passage.paper.paper_id, place], p) for passage, place, p in rows]


def test_candidates_are_the_sentences_in_order():
    assert [(c.passage.rank, c.position, c.text, c.cosine) for c in CANDIDATES] == [
        (1, 0, "Mixers are fast.", 0.1),
        (1, 1, "They reach 9.1x throughput.", 0.8),
        (1, 2, "They scale.", 0.2),
        (2, 0, "Retrieval helps small models.", 0.3),
        (2, 1, "It is robust.", 0.4),
    ]


def test_a_cosine_for_every_sentence():
    with pytest.raises(ValueError, match="zip"):
        candidates_of([FIRST], [[0.1]], texts_of(FIRST.paper), {})


@pytest.mark.parametrize(
    ("asked", "held", "share"),
    [
        ({"fast", "mixer"}, {"fast"}, 3 / 4),  # idf 3 of 3 + 1
        ({"fast", "mixer"}, {"mixer", "other"}, 1 / 4),
        ({"fast"}, set(), 0.0),
        ({"fast"}, {"fast", "more"}, 1.0),
        (set(), {"fast"}, 0.0),
    ],
)
def test_coverage_by_hand(asked, held, share):
    assert coverage(frozenset(asked), frozenset(held), idf) == share


def test_features_by_hand():
    # asked: fast (3) mixer (1); the second passage is .3 behind the first
    found = sentence_features("fast mixer", CANDIDATES[0], 0.9, idf)
    assert found["coverage"] == 1.0  # both stems stand in 'Mixers are fast.'
    behind = sentence_features("fast mixer", CANDIDATES[3], 0.9, idf)
    assert behind["coverage"] == 0.0
    assert behind["paper_gap"] == pytest.approx(-0.3)
    assert behind["paper_reciprocal_rank"] == 0.5
    with_title = sentence_features("fast mixer", CANDIDATES[1], 0.9, idf)
    assert (with_title["coverage"], with_title["coverage_with_title"]) == (0.0, 0.25)
    assert [sentence_features("x", c, 0.9, idf)["first_sentence"] for c in CANDIDATES[:2]] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("question", "place", "there", "missing"),
    [("How many?", 1, 1.0, 0.0), ("How many?", 0, 0.0, 1.0), ("Why?", 1, 0.0, 0.0), ("Why?", 0, 0.0, 0.0)],
)
def test_numbers_asked_for(question, place, there, missing):
    found = sentence_features(question, CANDIDATES[place], 0.9, idf)
    assert (found["number_asked_and_there"], found["number_asked_not_there"]) == (there, missing)


def test_score_ranks_by_probability():
    ranked = score("q", CANDIDATES, BY_COSINE, idf)
    assert [s.candidate.cosine for s in ranked] == [0.8, 0.4, 0.3, 0.2, 0.1]
    assert ranked[0].probability == pytest.approx(0.689974)  # 1 / (1 + exp(-0.8))


def test_score_breaks_ties_by_paper_and_place():
    tied = score("q", CANDIDATES[::-1], LogisticModel(0.0, {}), idf)
    assert [(s.candidate.passage.paper.paper_id, s.candidate.position) for s in tied] == [
        ("m", 0),
        ("m", 1),
        ("m", 2),
        ("r", 0),
        ("r", 1),
    ]
    assert {s.probability for s in tied} == {0.5}
    assert score("q", [], BY_COSINE, idf) == []


def test_all_sentences_of_the_told_papers_best_first_under_the_keys_of_their_papers():
    rows = scored((SECOND, 1, 0.9), (FIRST, 0, 0.8), (SECOND, 0, 0.7), (FIRST, 2, 0.0001))
    told = [(item.key, item.text) for item in select(rows, ["m", "r"])]
    assert told == [
        (2, "It is robust."),
        (1, "Mixers are fast."),
        (2, "Retrieval helps small models."),
        (1, "They scale."),
    ]
    assert [(item.key, item.text) for item in select(rows, ["r"])] == [
        (1, "It is robust."),
        (1, "Retrieval helps small models."),
    ]
    assert select(rows, []) == select([], ["m"]) == []


def test_offsets_point_at_the_sentence():
    [item] = select(scored((FIRST, 1, 0.5)), ["m"])
    assert MIXER.abstract[item.start : item.end] == item.text == "They reach 9.1x throughput."
    assert item.score == 0.5


@pytest.mark.parametrize(
    ("asked", "one", "more"),
    [
        ("fact", "fact", "collect"),
        ("find", "find", "collect"),
        ("compare", "fact", "compare"),
        ("collect", "fact", "collect"),
    ],
)
def test_how_many_papers_are_told_decides_the_kind_and_the_words_which_of_those(asked, one, more):
    assert (kind_of_papers(asked, 1), kind_of_papers(asked, 2), kind_of_papers(asked, 4)) == (one, more, more)


@pytest.mark.parametrize(
    ("scores", "places"),
    [
        ((0.8, 0.1, 0.1), [0, 1]),  # two in any case
        ((0.8, 0.3, 0.2, 0.19), [0, 1, 2]),  # .2 is a quarter of .8
        ((0.8, 0.8, 0.8, 0.8, 0.8), [0, 1, 2, 3]),  # no more than four
        ((0.8,), [0]),
        ((), []),
    ],
)
def test_papers_worth_collecting(scores, places):
    passages = [Passage(Paper(str(n), "", ""), n + 1, score) for n, score in enumerate(scores)]
    assert collected_papers(passages) == [str(place) for place in places]
