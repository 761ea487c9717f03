"""Papers read more than once become one paper with every origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rag.readers.rows import same_text_key
from rag.types import Paper


def merge_duplicates(papers: Iterable[Paper], replaced: list[Paper] | None = None) -> list[Paper]:
    """One paper per `paper_id`, in the order of first appearance.

    Same id and same words: origins are united and gaps in the metadata filled. Same id and new
    words: the last one wins, and the one it displaced is appended to `replaced`.
    """
    merged: dict[str, Paper] = {}
    for paper in papers:
        known = merged.get(paper.paper_id)
        if known is None:
            merged[paper.paper_id] = paper
        elif _same_text(known, paper):
            merged[paper.paper_id] = _united(known, paper)
        else:
            merged[paper.paper_id] = paper
            if replaced is not None:
                replaced.append(known)
    return list(merged.values())


def _same_text(one: Paper, other: Paper) -> bool:
    return same_text_key(one.title, one.abstract) == same_text_key(other.title, other.abstract)


def _united(known: Paper, again: Paper) -> Paper:
    return replace(
        known,
        year=known.year or again.year,
        url=known.url or again.url,
        venue=known.venue or again.venue,
        authors=known.authors or again.authors,
        origins=tuple(dict.fromkeys(known.origins + again.origins)),
    )
