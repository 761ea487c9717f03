"""A logistic model as data: named weights in a JSON file, a dot product here, fitted by training/."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """p = 1 / (1 + exp(-(bias + sum of weight * feature))). Names bind weights to features."""

    bias: float
    weights: Mapping[str, float]

    def logit(self, features: Mapping[str, float]) -> float:
        """The log-odds.

        :raises KeyError: if a feature the model was fitted with is not given.
        """
        return self.bias + sum(weight * features[name] for name, weight in sorted(self.weights.items()))

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability, in (0, 1)."""
        return sigmoid(self.logit(features))


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-x)) without overflow."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    grown = math.exp(logit)
    return grown / (1.0 + grown)


def logit(probability: float) -> float:
    """Log-odds, clipped to +-8.

    >>> logit(0.5)
    0.0
    """
    clipped = min(max(probability, 3.4e-4), 1 - 3.4e-4)
    return math.log(clipped / (1 - clipped))


@cache
def load_logistic(name: str) -> LogisticModel:
    """The shipped model `rag/data/<name>.json`."""
    record = json.loads(files("rag").joinpath("data", f"{name}.json").read_text(encoding="utf-8"))
    return LogisticModel(record["bias"], record["weights"])
