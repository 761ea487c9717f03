"""The map of a collection as inline SVG. Pure: an `CollectionMap` -> text, every title inert.

A dot is a paper: its title when pointed at, a question about it when clicked (page.js). The list beside the
map holds the same papers for those who use a keyboard or a screen reader.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from rag.text.escape import inert, shown
from rag.ui.state.map_layout import CollectionMap

WIDTH, HEIGHT, _MARGIN = 720, 520, 26
_CHAR_PX, _LINE_PX = 9.6, 20.0
_TERMS_DRAWN = 2  # of a group's name; the chips have room for all


class Label(NamedTuple):
    """A group's name with the middle of its text."""

    group: int
    text: str
    x: float
    y: float


def map_svg(atlas: CollectionMap, *, lit: Collection[str] | None = None) -> str:
    """The drawing and its legend; with `lit`, all other papers step back."""
    if not atlas.papers:
        return '<div class="cw-empty">There is no paper to draw yet.</div>'
    dots = "".join(_dot(atlas, i, lit) for i in range(len(atlas.papers)))
    names = "".join(
        f'<text class="cw-topic cw-g{label.group}" x="{label.x:.1f}" y="{label.y:.1f}">'
        f"{inert(label.text)}</text>"
        for label in labels(atlas)
    )
    return (
        f'<div class="cw-map"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="Map of {len(atlas.papers)} papers in {len(atlas.topics)} groups">{dots}{names}</svg>'
        f'<div class="cw-map-tip" hidden></div></div>{_legend(atlas)}{_about(atlas)}'
    )


def _dot(atlas: CollectionMap, i: int, lit: Collection[str] | None) -> str:
    x, y = _at(atlas, i)
    paper = atlas.papers[i]
    faint = " cw-faint" if lit is not None and paper.paper_id not in lit else ""
    return (
        f'<circle class="cw-dot cw-g{atlas.groups[i]}{faint}" cx="{x:.1f}" cy="{y:.1f}" r="5.5"'
        f' aria-label="{shown(paper.title)}"/>'
    )


def _at(atlas: CollectionMap, i: int) -> tuple[float, float]:
    """Where a paper stands; y grows downwards."""
    x, y = atlas.places[i]
    return _MARGIN + x * (WIDTH - 2 * _MARGIN), HEIGHT - _MARGIN - y * (HEIGHT - 2 * _MARGIN)


def labels(atlas: CollectionMap) -> list[Label]:
    """The groups' names above their papers, moved apart where they would overlap."""
    found: list[Label] = []
    for group, topic in enumerate(atlas.topics):
        name = ", ".join(topic.split(", ")[:_TERMS_DRAWN])
        members = [_at(atlas, i) for i, own in enumerate(atlas.groups) if own == group]
        half = len(name) * _CHAR_PX / 2
        x = sum(x for x, _ in members) / len(members)
        x = min(max(x, half + 4), WIDTH - half - 4)
        y = sorted(y for _, y in members)[len(members) // 10] - 12
        found.append(Label(group, name, x, y))
    apart: list[Label] = []
    for label in sorted(found, key=lambda item: item.y):
        y = label.y
        for other in apart:
            near = abs(other.x - label.x) < (len(other.text) + len(label.text)) * _CHAR_PX / 2
            if near and y - other.y < _LINE_PX:
                y = other.y + _LINE_PX
        apart.append(label._replace(y=min(max(y, _LINE_PX), HEIGHT - 6)))
    return apart


def _legend(atlas: CollectionMap) -> str:
    """The groups' names in a row, for screens on which they would not fit into the drawing."""
    chips = "".join(
        f'<span class="cw-chip cw-g{group}">{inert(name)}</span>' for group, name in enumerate(atlas.topics)
    )
    return f'<div class="cw-legend">{chips}</div>'


def _about(atlas: CollectionMap) -> str:
    """What the drawing shows, and how much of the collection."""
    told = "Near means alike: places come from the abstracts' vectors."
    if atlas.total > len(atlas.papers):
        told = f"{len(atlas.papers):,} of {atlas.total:,} papers, drawn at random. {told}"
    return f'<div class="cw-map-note">{inert(told)} Click a dot to ask about its paper.</div>'
