"""Plots as SVG text: pure functions from points to markup. Colours and fonts are the page's.

Both axes are linear. A plot says in words what it shows, for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval.report.markup import number
from rag.text.escape import display

WIDTH, HEIGHT = 420, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 44
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A named line; `sizes` scale the dots by how many questions each stands for."""

    name: str
    points: tuple[Point, ...]
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Axes:
    """Labels, the ends of both axes in data units, and into how many parts the x axis is divided."""

    x: str
    y: str
    x_ends: Point = (0.0, 1.0)
    y_ends: Point = (0.0, 1.0)
    diagonal: bool = False
    x_parts: int = 4

    def place(self, point: Point) -> Point:
        """Data -> picture, kept inside the frame."""
        inner = (WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM)
        across = _share(point[0], self.x_ends) * inner[0]
        up = _share(point[1], self.y_ends) * inner[1]
        return round(_LEFT + across, 1), round(HEIGHT - _BOTTOM - up, 1)


def lines(series: Sequence[Series], axes: Axes, *, title: str) -> Markup:
    """One line with dots per series."""
    drawn = "".join(_line(one, axes, place) for place, one in enumerate(series))
    return _figure(title, _frame(axes) + drawn, [one.name for one in series])


def bars(
    groups: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], *, title: str, unit: str
) -> Markup:
    """Groups of horizontal bars, each with its value behind it: one bar per name."""
    top = max([value for _, values in groups for value in values], default=0.0) or 1.0
    row, space = 15, 12
    height, marks = 8, ""
    for label, values in groups:
        middle = height + len(values) * row / 2 + 4
        marks += _text(label, 96, middle, anchor="end")
        for place, value in enumerate(values):
            wide = round(value / top * (WIDTH - 190), 1)
            size = f'width="{max(wide, 1)}" height="{row - 3}"'
            marks += f'<rect class="bar s{place % 4}" x="104" y="{height}" {size}/>'
            marks += _text(f"{value:.3g} {unit}", 110 + wide, height + 10)
            height += row
        height += space
    return _figure(title, marks, names, height=max(height, 40))


def _share(value: float, ends: Point) -> float:
    low, high = ends
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def _line(series: Series, axes: Axes, place: int) -> str:
    points = [axes.place(point) for point in series.points]
    path = " ".join(f"{x},{y}" for x, y in points)
    sizes = series.sizes or (0,) * len(points)
    most = max(sizes, default=0)
    dotted = most > 0 or len(points) <= 12
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="{2.5 + 5 * size / most if most else 2.5:.1f}">'
        f"<title>{display(f'{number(a)}, {number(b)}')}</title></circle>"
        for (x, y), (a, b), size in zip(points, series.points, sizes, strict=True)
    )
    return f'<g class="line s{place % 4}"><polyline points="{path}"/>{dots if dotted else ""}</g>'


def _frame(axes: Axes) -> str:
    """Grid and numbers, labels."""
    marks = ""
    for x in _steps(axes.x_ends, axes.x_parts):
        across, _ = axes.place((x, axes.y_ends[0]))
        marks += f'<path class="grid" d="M{across} {_TOP}V{HEIGHT - _BOTTOM}"/>'
        marks += _text(f"{x:.3g}", across, HEIGHT - _BOTTOM + 15, anchor="middle")
    for y in _steps(axes.y_ends, 4):
        _, up = axes.place((axes.x_ends[0], y))
        marks += f'<path class="grid" d="M{_LEFT} {up}H{WIDTH - _RIGHT}"/>'
        marks += _text(f"{y:.3g}", _LEFT - 6, up + 4, anchor="end")
    marks += _text(axes.x, (WIDTH + _LEFT) / 2, HEIGHT - 8, anchor="middle", kind="label")
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    marks += f'<g transform="rotate(-90 12 {middle})">{_text(axes.y, 12, middle, "middle", "label")}</g>'
    if axes.diagonal:
        (x1, y1), (x2, y2) = axes.place((0, 0)), axes.place((1, 1))
        marks += f'<path class="diagonal" d="M{x1} {y1}L{x2} {y2}"/>'
    return marks


def _steps(ends: Point, parts: int) -> list[float]:
    return [ends[0] + (ends[1] - ends[0]) * step / parts for step in range(parts + 1)]


def _text(words: str, x: float, y: float, anchor: str = "start", kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{display(words)}</text>'


def _figure(title: str, marks: str, names: Sequence[str], *, height: int = HEIGHT) -> Markup:
    """The picture under its title, with a legend when there are several series."""
    picture = (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{display(title)}">'
        f"<title>{display(title)}</title>{marks}</svg>"
    )
    keys = "".join(
        f'<span><i class="key s{place % 4}"></i>{display(name)}</span>' for place, name in enumerate(names)
    )
    legend = f'<div class="legend">{keys}</div>' if len(names) > 1 else ""
    return Markup(f"<figure><figcaption>{display(title)}</figcaption>{picture}{legend}</figure>")  # noqa: S704
