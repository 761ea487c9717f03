"""Questions to begin a conversation with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text.clean import clean
from rag.types import Paper

STARTERS_MAX = 6
EXAMPLES = (
    "How much higher throughput does Monarch Mixer achieve at sequence length 4K?",
    "Which paper studies time-reversed language models?",
    "How much does WRAP speed up pre-training on C4?",
    "What is refusal-aware instruction tuning?",
    "Which papers warn that fine-tuning makes models forget?",
    "What is the capital of France?",
)


def starters(papers: Sequence[Paper], *, shipped: bool) -> list[str]:
    """Questions to begin with: written ones for the papers that ship, else about the first titles."""
    if shipped:
        return list(EXAMPLES)
    step = max(len(papers) // STARTERS_MAX, 1)
    return [question_about(clean(paper.title)) for paper in papers[::step][:STARTERS_MAX]]


def question_about(title: str) -> str:
    """The question that a click on a paper asks; page.js asks the same."""
    return f"What does “{title}” show?"
