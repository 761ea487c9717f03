"""Puts the page together: figures first, then curves, causes, every question, and how it came about.

The content policy allows the page's own style and script by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from markupsafe import Markup

from eval.measure.feedback import Votes
from eval.measure.measures import PERCENTILES
from eval.measure.results import RunResults
from eval.public.results import SetResult
from eval.report.browser import browser
from eval.report.failing import causes, changed, worst
from eval.report.feedback import feedback
from eval.report.markup import fill
from eval.report.plots import Axes, Series, bars, lines
from eval.report.public import public
from eval.report.tables import by_type, differences, stamps, summary

_HERE = Path(__file__).parent
_COMPARED = 9
_READING = (
    "A question counts as right when every must-contain list is met (or, where the papers hold no answer, "
    "when it was refused). Refusals of answerable questions count as wrong. Support is judged by "
    "{judge}, which is not the check the product itself applies; an answer that only quotes is supported by "
    "construction, so read those rows together with the share of answers in the model's own words. "
    "Seconds for writing are shared by the questions of a batch."
)


def render(
    runs: Sequence[RunResults],
    sets: Sequence[SetResult] = (),
    other_sets: Mapping[str, Sequence[SetResult]] = MappingProxyType({}),
    judged: Votes | None = None,
) -> Markup:
    """The report: the first run in full, the others beside it; public sets and thumbs where there are any."""
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'"
    return fill(
        "page",
        "page",
        title=f"Citewise eval: {' / '.join(run.name for run in runs) or 'public sets'}",
        policy=Markup(policy),  # noqa: S704 - ours
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        body=[*([_runs(runs)] if runs else []), public(sets, other_sets), feedback(judged)],
    )


def _runs(runs: Sequence[RunResults]) -> Markup:
    """The first run in full, the others beside it."""
    first, compared = runs[0], len(runs) > 1
    parts = {
        "compared": compared,
        "summary": summary(runs),
        "differences": [differences(other, first) for other in runs[1:_COMPARED]],
        "changed": changed(*runs[:2]) if compared else "",
        "plots": _plots(runs[:4]),
        "by_type": by_type(runs[:4]),
        "causes": [causes(run) for run in runs[:2]],
        "worst": worst(first),
        "questions": browser(runs),
        "stamps": stamps(runs),
    }
    reading = _READING.format(judge=first.stamp.judge)
    return fill("page", "runs", first=first, reading=reading, parts=parts)


def _plots(runs: Sequence[RunResults]) -> list[Markup]:
    """Recall by k, risk and coverage, reliability, seconds by stage."""
    deepest = max([2, *(k for run in runs for k, _ in run.curves.recall)])
    recall = [Series(run.name, tuple((float(k), v) for k, v in run.curves.recall)) for run in runs]
    risk = [Series(run.name, run.curves.risk) for run in runs]
    reliable = [
        Series(
            run.name,
            tuple((found.confidence, found.right) for found in run.curves.reliability),
            tuple(found.n for found in run.curves.reliability),
        )
        for run in runs
    ]
    return [
        lines(
            recall,
            Axes("papers looked at, k", "share of gold papers", (1.0, float(deepest)), x_parts=deepest - 1),
            title="Recall by k",
        ),
        lines(risk, Axes("coverage", "share wrong"), title="Risk by coverage, most confident first"),
        lines(
            reliable,
            Axes("stated confidence", "share right", diagonal=True),
            title="Reliability of the confidence",
        ),
        *(_latency(runs, place) for place in range(len(PERCENTILES))),
    ]


def _latency(runs: Sequence[RunResults], place: int) -> Markup:
    """Seconds by stage at one percentile."""
    stages = list(dict.fromkeys(latency.stage for run in runs for latency in run.curves.latency))
    held = [{found.stage: found.seconds[place] for found in run.curves.latency} for run in runs]
    groups = [(stage.removesuffix("_s"), [own.get(stage, 0.0) for own in held]) for stage in stages]
    names = [run.name for run in runs]
    return bars(groups, names, title=f"Seconds by stage, {PERCENTILES[place]}th percentile", unit="s")


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
