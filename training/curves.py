"""Draws a run's loss, and what was judged on the way, as one SVG picture.

python -m training.curves --run RUN --name reranker --out docs/training/reranker.svg
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from eval.report.plots import HEIGHT, WIDTH, Axes, Series, lines

_STYLE = (
    "svg{font:11px sans-serif;background:#fff}polyline{fill:none;stroke-width:2;stroke:#2563eb}"
    ".s1 polyline{stroke:#d97706}.s2 polyline{stroke:#059669}.s3 polyline{stroke:#7c3aed}"
    "circle{fill:#2563eb}.s1 circle{fill:#d97706}.s2 circle{fill:#059669}.s3 circle{fill:#7c3aed}"
    ".grid{stroke:#ddd;fill:none}text{fill:#333}"
)


def series_of(log: list[dict[str, Any]]) -> list[Series]:
    """The training loss, and the held-out loss where one was measured, by step."""
    found = []
    for name, key in (("training loss", "loss"), ("held-out loss", "eval_loss")):
        points = tuple((float(row["step"]), float(row[key])) for row in log if key in row)
        if points:
            found.append(Series(name, points))
    return found


def picture(log: list[dict[str, Any]], name: str) -> str:
    """A standing-alone SVG."""
    series = series_of(log)
    points = [point for one in series for point in one.points]
    top = max(y for _, y in points)
    axes = Axes("step", "loss", (0.0, max(x for x, _ in points)), (0.0, top))
    figure = str(lines(series, axes, title=f"{name}: {', '.join(one.name for one in series)}"))
    svg = figure[figure.index("<svg") : figure.index("</svg>")] + "</svg>"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
    return svg.replace("<svg", opening, 1).replace(">", f"><style>{_STYLE}</style>", 1)


def main() -> None:
    """Read the record of a run, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    log = json.loads((arguments.run / "run.json").read_text(encoding="utf-8"))["log"]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(picture(log, arguments.name), encoding="utf-8")


if __name__ == "__main__":
    main()
