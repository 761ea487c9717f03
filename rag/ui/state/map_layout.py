"""A collection laid out on a plane: its papers, the group and place of each, the groups' names.

Large collections are drawn from a seeded sample. Groups: k-means from k-means++ seeds. Plane: the principal
components of the groups' centres, weighted by size, so that what is near on the map belongs together; with
fewer than three groups, those of the vectors themselves. Knows vectors and papers, not how they are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.ports import Indexed, Vectors
from rag.types import Paper
from rag.ui.state.topics import topic_names

DRAWN_MAX = 1500
GROUPS_MAX = 8
_STARTS = 8  # the best of so many runs of k-means is kept
_WITHIN = 0.35  # how much of the spread inside its group a point keeps
_FLAT = 1e-9  # an axis on which all lie as near as this has no direction
_SPREAD_MAX = 600  # beyond that, the map is too full for it
_APART = 0.024

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]
Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CollectionMap:
    """`places` has shape (papers, 2), about [0, 1]; `topics[groups[i]]` names the group of paper i."""

    papers: tuple[Paper, ...]
    groups: tuple[int, ...]
    places: Places
    topics: tuple[str, ...]
    total: int

    def group_of(self) -> dict[str, int]:
        """The group of each paper by its id."""
        return {paper.paper_id: group for paper, group in zip(self.papers, self.groups, strict=True)}


def lay_out(index: Indexed, *, drawn_max: int = DRAWN_MAX, seed: int = 0) -> CollectionMap:
    """The map of a collection; of at most `drawn_max` papers, drawn at random, when it is larger."""
    everything = list(index.all_papers())
    papers = everything
    if len(papers) > drawn_max:
        chosen = np.random.default_rng(seed).choice(len(papers), drawn_max, replace=False)
        papers = [everything[i] for i in sorted(chosen.tolist())]
    known = abstract_vectors(index.store, [paper.paper_id for paper in papers])
    papers = [paper for paper in papers if paper.paper_id in known]
    if not papers:
        return CollectionMap((), (), np.zeros((0, 2)), (), len(everything))
    rows = np.stack([known[paper.paper_id] for paper in papers])
    groups = cluster(rows, groups_for(len(papers)), seed=seed)
    names = topic_names(papers, groups.tolist())
    places = project(rows, groups)
    if len(papers) <= _SPREAD_MAX:
        places = np.clip(spread_apart(places, _APART), 0, 1)
    return CollectionMap(tuple(papers), tuple(groups.tolist()), places, tuple(names), len(everything))


def abstract_vectors(store: Vectors, paper_ids: Sequence[str]) -> dict[str, Matrix]:
    """The unit mean of the vectors of each paper's abstract; papers without any are left out."""
    wanted = set(paper_ids)
    chunks: dict[str, list[str]] = {}
    for chunk_id in store.ids():
        paper_id, _, view = chunk_id.rpartition("#")
        if view.startswith("a") and paper_id in wanted:
            chunks.setdefault(paper_id, []).append(chunk_id)
    if not chunks:
        return {}
    rows = store.vectors([chunk_id for own in chunks.values() for chunk_id in own])
    found, start = {}, 0
    for paper_id, own in chunks.items():
        mean = rows[start : start + len(own)].mean(axis=0)
        found[paper_id] = (mean / (np.linalg.norm(mean) or 1.0)).astype(np.float32)
        start += len(own)
    return found


def groups_for(count: int) -> int:
    """How many groups a map of `count` papers shows: about sqrt(n / 3), at most eight."""
    return max(1, min(GROUPS_MAX, round(math.sqrt(count / 3))))


def cluster(vectors: Matrix, groups: int, *, seed: int = 0) -> Labels:
    """The group of each row, 0 for the largest; equal input gives equal groups.

    Never more groups than there are different rows. In float64, so that the order in which threads add up
    does not move a row to another group.
    """
    from sklearn.cluster import KMeans

    if not len(vectors):
        return np.zeros(0, dtype=np.int64)
    count = min(groups, len(np.unique(vectors, axis=0)))
    found = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(vectors.astype(np.float64))
    labels: Labels = np.asarray(found, dtype=np.int64)
    rank = np.argsort(np.argsort(-np.bincount(labels, minlength=count), kind="stable"), kind="stable")
    return np.asarray(rank[labels], dtype=np.int64)


def project(vectors: Matrix, labels: Labels) -> Places:
    """Shape (n, 2), each column spread over [0, 1]; in the middle where all are alike."""
    if len(vectors) < 2:
        return np.full((len(vectors), 2), 0.5)
    data = vectors.astype(np.float64)
    centres = np.stack([data[labels == group].mean(axis=0) for group in range(int(labels.max()) + 1)])
    apart = len(centres) > 2
    basis = _directions(centres[labels] if apart else data)
    flat = (data - data.mean(axis=0)) @ basis.T
    if apart:
        hearts = (centres - data.mean(axis=0)) @ basis.T
        share = _WITHIN * np.ptp(hearts, axis=0) / np.maximum(np.ptp(flat, axis=0), _FLAT)
        flat = hearts[labels] + (flat - hearts[labels]) * np.maximum(share, _WITHIN)
    low, width = flat.min(axis=0), np.ptp(flat, axis=0)
    return np.where(width > _FLAT, (flat - low) / np.maximum(width, _FLAT), 0.5)


def _directions(rows: Places) -> Places:
    """The two first principal directions of rows of shape (n, d), shape (2, d); zero where there is none."""
    from sklearn.decomposition import PCA

    basis = np.zeros((2, rows.shape[1]))
    if np.ptp(rows, axis=0).max() > _FLAT:
        found = PCA(min(2, *rows.shape), svd_solver="covariance_eigh").fit(rows).components_
        basis[: len(found)] = found
    return basis


def spread_apart(places: Places, least: float, *, rounds: int = 30) -> Places:
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
