"""Citewise: questions over paper abstracts, answered with citations that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.errors import CitewiseError
    from rag.settings import Settings
    from rag.types import Answer, Citation, Paper, Passage, Question, Turn

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "CitewiseError",
    "Paper",
    "Passage",
    "Question",
    "Settings",
    "Turn",
]
_HOMES = {"Assistant": "rag.assistant", "CitewiseError": "rag.errors", "Settings": "rag.settings"}


def __getattr__(name: str) -> object:
    """Import on first use: `import rag` must not load langchain or torch."""
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "rag.types")), name)
