"""Thumbs from the chat as a section of the report."""

from __future__ import annotations

from markupsafe import Markup

from eval.measure.feedback import Votes
from eval.report.markup import fill


def feedback(votes: Votes | None) -> Markup:
    """The section; empty without thumbs."""
    return fill("feedback", "feedback", votes=votes) if votes else Markup("")
