"""The error analysis as Markdown, so that a log can cite it and a person can edit it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from eval.measure.failures import FailedQuestion, failures_of
from eval.measure.results import RunResults
from eval.public.results import SetResult
from eval.report.failing import MISLEADING, WITHHELD
from eval.report.markup import number
from eval.report.public import ordered
from rag.cli.terminal import printable

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~$])")
_CHARS = 600


def errors(runs: Sequence[RunResults], public: Sequence[SetResult]) -> str:
    """Per run and per set: failures by cause, and the worst cases."""
    lines = ["# Where answers go wrong", ""]
    for run in runs:
        lines += _run(run)
    for result in public:
        lines += _set(result)
    return "\n".join(lines).rstrip() + "\n"


def plain(words: object) -> str:
    """Text as one line of Markdown in which nothing is markup; cut where it is long."""
    line = re.sub(r"\s+", " ", printable(str(words))).strip()
    cut = line if len(line) <= _CHARS else f"{line[:_CHARS].rstrip()}…"
    return _MARKUP.sub(r"\\\1", cut)


def _run(run: RunResults) -> list[str]:
    found = failures_of(run.items)
    stamp = run.stamp
    wrong = sum(found.causes.values())
    about = f"{wrong} of {len(run.items)} questions went wrong; split {plain(stamp.split)}, "
    about += f"{plain(stamp.date)}, fingerprint `{plain(stamp.fingerprint)}`."
    lines = [f"## {plain(run.name)}", "", about, "", *_causes(found.causes)]
    for heading, cases in ((MISLEADING, found.misleading), (WITHHELD, found.withheld)):
        lines += [f"### {heading}", "", *(_case(case) for case in cases), *([] if cases else ["None."]), ""]
    return lines


def _causes(causes: Mapping[str, int]) -> list[str]:
    rows = [f"| {plain(cause)} | {count} |" for cause, count in ordered(causes)]
    return ["| cause | count |", "|---|---|", *rows, ""]


def _case(case: FailedQuestion) -> str:
    return (
        f"- **{plain(case.id)}** ({plain(case.type)}, {case.status}, confidence {case.confidence:.2f}): "
        f"{plain(case.question)}\n  - wanted: {plain(case.wanted)}\n  - said: {plain(case.said)}\n"
        f"  - cause: {plain(case.cause)}"
    )


def _set(result: SetResult) -> list[str]:
    lines = [
        f"## {plain(result.name)} ({result.kind}, {result.count} members, {plain(result.stamp.date)})",
        "",
    ]
    lines += _causes(result.found.causes)
    for case in result.found.worst:
        lines.append(
            f"- **{plain(case.id)}** ({number(case.score)}): {plain(case.asked)}\n"
            f"  - came: {plain(case.came)}\n  - cause: {plain(case.cause)}"
        )
    return [*lines, ""]
