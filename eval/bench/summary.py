"""Measurements of all contenders as medians, spread and ratios: a table, JSON and a plot. Pure."""

from __future__ import annotations

import html
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Every figure, its unit, and whether less of it is better; None where neither is.
STAGES: dict[str, tuple[str, bool | None]] = {
    "imports": ("CPU s", True),
    "load": ("CPU s", True),
    "index": ("CPU s", True),
    "query_embed": ("ms", True),
    "dense": ("ms", True),
    "lexical": ("ms", True),
    "retrieve": ("ms", True),
    "first_token": ("s", True),
    "tokens": ("tokens", None),
    "decode": ("tokens/s", False),
    "verify": ("ms", True),
    "answer": ("s", True),
    "answer_cpu": ("CPU s", True),
    "batch": ("questions/s", False),
    "batch_cpu": ("questions/CPU s", False),
    "peak_memory": ("MB", True),
}
Samples = Mapping[str, Mapping[str, Sequence[float]]]  # contender -> stage -> values


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One stage of one contender: the median, its quartiles, and how much better than the reference."""

    contender: str
    stage: str
    unit: str
    median: float
    low: float
    high: float
    count: int
    ratio: float | None


def rows(samples: Samples, reference: str) -> list[BenchRow]:
    """A row per stage and contender that measured it, in the order of `STAGES`."""
    found = []
    for stage, (unit, less) in STAGES.items():
        base = samples.get(reference, {}).get(stage)
        for contender, measured in samples.items():
            if values := measured.get(stage):
                low, middle, high = _quartiles(values)
                ratio = better(middle, statistics.median(base), less=less) if base else None
                found.append(BenchRow(contender, stage, unit, middle, low, high, len(values), ratio))
    return found


def better(value: float, reference: float, *, less: bool | None) -> float | None:
    """How many times better than the reference; None where one of them is nothing, or nothing is better."""
    if less is None or value <= 0 or reference <= 0:
        return None
    return reference / value if less else value / reference


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def table(found: Sequence[BenchRow]) -> str:
    """Markdown: stage, contender, median with quartiles, how many times better."""
    lines = ["| stage | contender | median | quartiles | n | times better |", "|---|---|---|---|---|---|"]
    for row in found:
        times = "" if row.ratio is None else f"{row.ratio:.2f}"
        spread = f"{row.low:.3g} to {row.high:.3g}"
        value = f"{row.median:.3g} {row.unit}"
        lines.append(f"| {row.stage} | {row.contender} | {value} | {spread} | {row.count} | {times} |")
    return "\n".join(lines)


def plot(found: Sequence[BenchRow], reference: str) -> str:
    """SVG: how many times better than the reference each stage of each other contender is."""
    bars = [row for row in found if row.contender != reference and row.ratio is not None]
    widest = max([row.ratio or 0.0 for row in bars], default=1.0)
    height = 40 + 22 * len(bars)
    one = 150 + 360 / max(widest, 1.0)
    marks = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" font-family="sans-serif"'
        ' font-size="12" role="img">',
        f"<title>Times better than {html.escape(reference)}, by stage</title>",
        f'<rect width="640" height="{height}" fill="white"/>',
        f'<text x="8" y="18">times better than {html.escape(reference)} (line: equal)</text>',
        f'<line x1="{one:.0f}" y1="28" x2="{one:.0f}" y2="{height - 6}" stroke="#888"/>',
    ]
    for place, row in enumerate(bars):
        top, wide = 32 + 22 * place, 360 * (row.ratio or 0.0) / max(widest, 1.0)
        name = html.escape(f"{row.contender} {row.stage}")
        marks.append(f'<text x="142" y="{top + 12}" text-anchor="end">{name}</text>')
        marks.append(f'<rect x="150" y="{top}" width="{wide:.1f}" height="16" fill="#3b6ea5"/>')
        marks.append(f'<text x="{156 + wide:.1f}" y="{top + 12}">{row.ratio:.2f}</text>')
    return "\n".join([*marks, "</svg>"])
