"""The last report of `citewise eval` in a frame in which it can reach nothing else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from rag.ui.html.environment import fill

ADDRESS = "/quality/report"


def quality_html(report: Path | None) -> Markup:
    """The report in a sandbox, or how to make one."""
    if report is None:
        return fill("quality.html", "no_report")
    changed = datetime.fromtimestamp(report.stat().st_mtime).astimezone()
    return fill(
        "quality.html",
        "report",
        measured=changed.strftime("%Y-%m-%d %H:%M"),
        address=Markup(ADDRESS),  # noqa: S704 - ours
        version=int(changed.timestamp()),
    )
