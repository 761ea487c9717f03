"""The report of one or several runs: one HTML file that holds all it needs and fetches nothing."""

from eval.report.page import render

__all__ = ["render"]
