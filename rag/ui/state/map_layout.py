"""A collection laid out on a plane: its papers, the group and place of each, the groups' names.

Large collections are drawn from a seeded sample. Knows vectors and papers, not how they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.ports import Indexed, Vectors
from rag.types import Paper
from rag.ui.state.projection import Matrix, grouped, groups_for, placed, spread
from rag.ui.state.topics import topic_names

DRAWN_MAX = 1500
_SPREAD_MAX = 600  # beyond that, the map is too full for it
_APART = 0.024


@dataclass(frozen=True, slots=True)
class CollectionMap:
    """`places` has shape (papers, 2), about [0, 1]; `topics[groups[i]]` names the group of paper i."""

    papers: tuple[Paper, ...]
    groups: tuple[int, ...]
    places: NDArray[np.float64]
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
    groups = grouped(rows, groups_for(len(papers)), seed=seed)
    names = topic_names(papers, groups.tolist())
    places = placed(rows, groups)
    if len(papers) <= _SPREAD_MAX:
        places = np.clip(spread(places, _APART), 0, 1)
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
