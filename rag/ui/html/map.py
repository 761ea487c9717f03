"""The map of a collection as inline SVG. Pure: a `CollectionMap` -> dots and labels -> HTML.

A dot is a paper: its title when pointed at, a question about it when clicked (page.js). The list beside the
map holds the same papers for those who use a keyboard or a screen reader.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from markupsafe import Markup

from rag.ui.html.environment import fill
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


class Dot(NamedTuple):
    """A paper with its place; `faint` if it steps back behind those that are looked for."""

    group: int
    title: str
    x: float
    y: float
    faint: bool


def map_svg(collection_map: CollectionMap, *, lit: Collection[str] | None = None) -> Markup:
    """The drawing and its legend; with `lit`, all other papers step back."""
    if not collection_map.papers:
        return fill("map.html", "nothing")
    return fill(
        "map.html",
        "drawing",
        width=WIDTH,
        height=HEIGHT,
        dots=_dots(collection_map, lit),
        labels=labels(collection_map),
        topics=collection_map.topics,
        note=_note(collection_map),
    )


def topic_chip(group: int, name: str) -> Markup:
    """A group's colour and name."""
    return fill("map.html", "chip", group=group, name=name)


def _dots(collection_map: CollectionMap, lit: Collection[str] | None) -> list[Dot]:
    dots = []
    for i, paper in enumerate(collection_map.papers):
        faint = lit is not None and paper.paper_id not in lit
        dots.append(Dot(collection_map.groups[i], paper.title, *_at(collection_map, i), faint))
    return dots


def _at(collection_map: CollectionMap, i: int) -> tuple[float, float]:
    """Where a paper stands; y grows downwards."""
    x, y = collection_map.places[i]
    return _MARGIN + x * (WIDTH - 2 * _MARGIN), HEIGHT - _MARGIN - y * (HEIGHT - 2 * _MARGIN)


def labels(collection_map: CollectionMap) -> list[Label]:
    """The groups' names above their papers, moved apart where they would overlap."""
    found: list[Label] = []
    for group, topic in enumerate(collection_map.topics):
        name = ", ".join(topic.split(", ")[:_TERMS_DRAWN])
        members = [_at(collection_map, i) for i, own in enumerate(collection_map.groups) if own == group]
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


def _note(collection_map: CollectionMap) -> str:
    """What the drawing shows, and how much of the collection."""
    told = "Near means alike: places come from the abstracts' vectors."
    drawn = len(collection_map.papers)
    if collection_map.total > drawn:
        return f"{drawn:,} of {collection_map.total:,} papers, drawn at random. {told}"
    return told
