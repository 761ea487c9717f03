from __future__ import annotations

import json
import math
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.models.logistic import LogisticModel, load_logistic, logit, sigmoid


def test_by_hand():
    model = LogisticModel(-1.0, {"a": 2.0, "b": 0.5})
    assert model.logit({"a": 1.0, "b": -2.0}) == 0.0  # -1 + 2 - 1
    assert model.probability({"a": 1.0, "b": -2.0}) == 0.5
    assert model.probability({"a": 1.0, "b": 0.0}) == pytest.approx(1 / (1 + math.exp(-1)))


def test_features_the_model_does_not_know_count_nothing():
    assert LogisticModel(0.0, {}).probability({"more": 9.0}) == 0.5


def test_a_missing_feature_is_named():
    with pytest.raises(KeyError, match="absent"):
        LogisticModel(0.0, {"absent": 1.0}).logit({"present": 1.0})


@pytest.mark.parametrize(("logit", "expected"), [(0.0, 0.5), (math.log(3), 0.75), (-math.log(3), 0.25)])
def test_sigmoid_by_hand(logit, expected):
    assert sigmoid(logit) == pytest.approx(expected)


@given(st.floats(allow_nan=False))
def test_sigmoid_never_overflows_and_is_symmetric(logit):
    assert 0.0 <= sigmoid(logit) <= 1.0
    assert sigmoid(logit) + sigmoid(-logit) == pytest.approx(1.0)


def test_log_odds_are_clipped():
    assert logit(0.75) == pytest.approx(math.log(3))
    assert logit(0.0) == pytest.approx(-logit(1.0)) == pytest.approx(-7.986, abs=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "evidence", "support", "confidence", "papers", "evidence_read", "support_trained",
        "confidence_read", "evidence_reranked", "confidence_reranked", "reading", "contributing", "final",
        "final_unread",
    ],
)  # fmt: skip
def test_the_shipped_models_are_what_their_files_say(name):
    record = json.loads(files("rag.data").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    model = load_logistic(name)
    assert model.probability(dict.fromkeys(model.weights, 0.0)) == pytest.approx(sigmoid(record["bias"]))
    assert dict(model.weights) == record["weights"]
