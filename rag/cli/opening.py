"""Over which papers the commands answer, and the assistant behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.ports import Progress
    from rag.settings import Settings

Papers = Annotated[str | None, typer.Option("--papers", help="A file or folder of papers to answer over.")]
Collection = Annotated[str, typer.Option("--collection", help="The collection of papers.")]


def open_assistant(papers: str | None, collection: str, settings: Settings, progress: Progress) -> Assistant:
    """The assistant behind every command and server; tests put a fake here.

    :raises CitewiseError: as `Assistant.open` does.
    """
    from rag.assistant import Assistant

    return Assistant.open(
        papers=papers, collection=collection, settings=settings, progress=progress, preload=True
    )
