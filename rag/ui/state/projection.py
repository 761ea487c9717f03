"""Vectors -> groups and places on a plane, for a map of the collection. Pure numpy, seeded.

Groups: k-means on the unit sphere from k-means++ seeds. Plane: the two directions in which the groups
lie furthest apart (principal components of their centres, weighted by size), so that what is near on
the map belongs together; with fewer than three groups, of the vectors themselves.
Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]

GROUPS_MAX = 8
_ROUNDS_MAX = 50
_STARTS = 8  # the best of so many runs is kept
_WITHIN = 0.35  # how much of the spread inside its group a point keeps


def groups_for(count: int) -> int:
    """How many groups a map of `count` papers shows: about sqrt(n / 3), at most eight."""
    return max(1, min(GROUPS_MAX, round(math.sqrt(count / 3))))


def grouped(vectors: Matrix, groups: int, *, seed: int = 0) -> Labels:
    """The group of each vector, 0 for the largest; equal input gives equal groups."""
    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    groups = min(groups, len(vectors))
    rng = np.random.default_rng(seed)
    runs = [_one_run(vectors, groups, rng) for _ in range(_STARTS)]
    labels = max(runs, key=lambda run: run[0])[1]
    sizes = np.bincount(labels, minlength=groups)
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return rank[labels].astype(np.int64)


def _one_run(vectors: Matrix, groups: int, rng: np.random.Generator) -> tuple[float, Labels]:
    """k-means from one draw of seeds: the mean cosine to the own centre, and the groups."""
    centres = _seeds(vectors, groups, rng)
    labels = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(_ROUNDS_MAX):
        cosines = vectors @ centres.T
        nearest = np.argmax(cosines, axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = _centres(vectors, labels, centres)
    return float(cosines.max(axis=1).mean()), labels


def _seeds(vectors: Matrix, groups: int, rng: np.random.Generator) -> Matrix:
    """k-means++: each further seed is drawn with the squared distance to the nearest seed as weight."""
    chosen = [int(rng.integers(len(vectors)))]
    while len(chosen) < groups:
        far = np.clip(1 - np.max(vectors @ vectors[chosen].T, axis=1), 0, None).astype(np.float64)
        total = far.sum()
        drawn = rng.choice(len(vectors), p=far / total) if total > 0 else len(chosen)
        chosen.append(int(drawn))
    return vectors[chosen]


def _centres(vectors: Matrix, labels: Labels, old: Matrix) -> Matrix:
    """The mean direction of each group; a group that lost all its members keeps its old centre."""
    centres = old.copy()
    for group in range(len(old)):
        members = vectors[labels == group]
        if len(members):
            mean = members.mean(axis=0)
            centres[group] = mean / (np.linalg.norm(mean) or 1.0)
    return centres


def placed(vectors: Matrix, labels: Labels) -> NDArray[np.float64]:
    """Shape (n, 2), each column spread over [0, 1]."""
    if not len(vectors):
        return np.zeros((0, 2))
    data = vectors.astype(np.float64)
    centres = np.stack([data[labels == group].mean(axis=0) for group in range(int(labels.max()) + 1)])
    apart = len(centres) > 2
    basis = _directions(centres[labels] if apart else data)
    flat = (data - data.mean(axis=0)) @ basis.T
    if apart:
        heart = (centres - data.mean(axis=0)) @ basis.T
        spread = _WITHIN * np.ptp(heart, axis=0) / np.maximum(np.ptp(flat, axis=0), 1e-12)
        flat = heart[labels] + (flat - heart[labels]) * np.maximum(spread, _WITHIN)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return np.asarray((flat - low) / np.where(high - low > 0, high - low, 1.0))


def spread(places: NDArray[np.float64], least: float, *, rounds: int = 30) -> NDArray[np.float64]:
    """The places moved apart until hardly two are nearer than `least`, so that none hides another."""
    moved = places.astype(np.float64).copy()
    rng = np.random.default_rng(0)
    moved += rng.normal(0, least / 1000, moved.shape)  # two at the very same place part as well
    for _ in range(rounds):
        away = moved[:, None] - moved[None]
        distance = np.sqrt((away**2).sum(axis=2))
        np.fill_diagonal(distance, np.inf)
        push = np.clip(least - distance, 0, None) / 2 / np.maximum(distance, 1e-9)
        if not push.any():
            break
        moved += (away * push[:, :, None]).sum(axis=1)
    return moved


def _directions(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two first principal directions, each signed so that its largest part is positive."""
    centred = data - data.mean(axis=0)
    _, _, rows = np.linalg.svd(centred, full_matrices=False)
    basis = np.zeros((2, data.shape[1]))
    basis[: min(2, len(rows))] = rows[:2]
    largest = np.argmax(np.abs(basis), axis=1)
    signs = np.sign(basis[np.arange(2), largest])
    return basis * np.where(signs == 0, 1, signs)[:, None]
