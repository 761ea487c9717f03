"""The last report of `citewise eval`: where it lies, and a frame in which it can reach nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rag.text.escape import inert

ADDRESS = "/quality/report"
_FOLDER, _FILE = "citewise-eval", "report.html"


def last_report(folders: Sequence[Path]) -> Path | None:
    """The newest report below one of these folders."""
    found = [path for folder in folders if (path := folder / _FOLDER / _FILE).is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def quality_html(report: Path | None) -> str:
    """The report in a sandbox, or how to make one."""
    if report is None:
        return (
            '<div class="cw-lead"><h2>No report yet</h2><p>How well the answers hold is measured with '
            "questions whose answers are known. Run <b>citewise eval</b> in the folder from which this page "
            "was started (half a minute with <b>--quotes-only</b>), then look here again.</p></div>"
        )
    changed = datetime.fromtimestamp(report.stat().st_mtime).astimezone()
    return (
        f'<div class="cw-soft">Last measured {inert(changed.strftime("%Y-%m-%d %H:%M"))}</div>'
        f'<iframe class="cw-report" title="Report of the last evaluation" sandbox="allow-scripts"'
        f' src="{ADDRESS}?{int(changed.timestamp())}"></iframe>'
    )
