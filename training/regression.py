"""Logistic regression whose weights ship as data: fitted with scikit-learn, folded back to plain numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from rag.models.logistic import LogisticModel

TARGET = Path(__file__).parent.parent / "rag" / "data"
Features = dict[str, float]
_Value = TypeVar("_Value")


def fit(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool],
    weights: Sequence[float] | None = None,
    *,
    strength: float = 1.0,
) -> LogisticModel:
    """L2-regularised logistic regression on standardised features; `strength` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    names = sorted(rows[0])
    matrix = np.array([[row[name] for name in names] for row in rows])
    scaler = StandardScaler().fit(matrix)
    model = LogisticRegression(max_iter=2000, C=strength).fit(scaler.transform(matrix), labels, weights)
    slopes = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - slopes @ scaler.mean_)
    return LogisticModel(bias, {n: float(w) for n, w in zip(names, slopes, strict=True)})


def where(values: Sequence[_Value], chosen: Sequence[bool]) -> list[_Value]:
    """The values whose flag is set."""
    return [value for value, keep in zip(values, chosen, strict=True) if keep]


def save(
    name: str, model: LogisticModel, report: Mapping[str, float], by: str = "python -m training.logistic"
) -> None:
    """Write the weights with what was measured on the held-out half."""
    record = {
        "bias": round(model.bias, 4),
        "weights": {key: round(value, 4) for key, value in sorted(model.weights.items())},
        "fitted_by": by,
        "held_out": {key: round(float(value), 4) for key, value in report.items()},
    }
    (TARGET / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(name, json.dumps(record["held_out"], indent=1), flush=True)
