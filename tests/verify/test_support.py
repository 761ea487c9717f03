from __future__ import annotations

import numpy as np
import pytest
from fakes import HashEmbeddings

from rag.index.query_encoder import QueryEncoder
from rag.models.logistic import LogisticModel
from rag.verify.support import LexicalVerifier, containment, support_features

TOLD = "Monarch Mixer\nIt reaches 9.1x throughput.\nIt scales well."


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("Monarch reaches throughput.", 1.0),
        ("Monarch reaches nothing.", 2 / 3),
        ("Bananas.", 0.0),
        ("The paper shows results.", 1.0),  # words of framing claim nothing
        ("It is.", 1.0),
    ],
)
def test_containment_by_hand(sentence, share):
    assert containment(sentence, TOLD) == pytest.approx(share)


def test_features_by_hand():
    # said: monarch, reaches, speed, bananas; two of four are told, one a line
    found = support_features("Monarch reaches speed, bananas.", TOLD, [0.3, 0.1, 0.4, 0.2])
    assert found["containment"] == 0.5
    assert found["best_line_containment"] == 0.25
    assert found["missing_words"] == 2 / 5
    assert (found["cosine"], found["best_line_cosine"]) == (0.3, 0.4)
    assert found["verbatim"] == 0.0


@pytest.mark.parametrize(
    ("sentence", "verbatim"),
    [
        ("it REACHES 9.1x throughput", 1.0),
        ("It reaches throughput.", 0.0),
        ("It scales well. Monarch", 0.0),
    ],
)
def test_verbatim_is_blind_to_case_and_punctuation_only(sentence, verbatim):
    assert support_features(sentence, TOLD, [0.0])["verbatim"] == verbatim


def test_no_evidence_supports_nothing_and_breaks_nothing():
    found = support_features("Monarch scales.", "", [0.0])
    assert (found["containment"], found["best_line_containment"]) == (0.0, 0.0)


def test_words_far_apart_in_long_evidence_are_not_found_together():
    filler = "\n".join(["Nothing."] * 20)
    near, far = f"{filler}\nMonarch.\nSpeed.\n{filler}", f"Monarch.\n{filler}\nSpeed."
    for evidence, containment_, missing in ((near, 1.0, 0.0), (far, 0.5, 0.2)):
        found = support_features("Monarch speed.", evidence, [0.0])
        assert (found["containment"], found["missing_words"]) == (containment_, missing)
        assert found["best_line_containment"] == 0.5


def test_support_is_the_model_of_the_features():
    embeddings = HashEmbeddings()
    verifier = LexicalVerifier(QueryEncoder(embeddings), LogisticModel(0.0, {"containment": 1.0}))
    # containments 1 and 0: 1 / (1 + exp(-1)) and 1/2
    assert verifier.support([("Monarch scales.", TOLD), ("Bananas.", TOLD)]) == pytest.approx([0.731059, 0.5])
    assert sorted(embeddings.embedded) == sorted(
        {"Monarch scales.", "Bananas.", TOLD, *TOLD.split("\n")}
    )  # each text once


def test_the_cosine_is_of_unit_vectors():
    verifier = LexicalVerifier(QueryEncoder(HashEmbeddings()), LogisticModel(0.0, {"cosine": 1.0}))
    same, other = verifier.support([(TOLD, TOLD), ("Bananas.", TOLD)])
    assert same == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert other == pytest.approx(0.5)


def test_no_claims():
    embeddings = HashEmbeddings()
    assert LexicalVerifier(QueryEncoder(embeddings), LogisticModel(0.0, {})).support([]) == []
    assert embeddings.embedded == []
