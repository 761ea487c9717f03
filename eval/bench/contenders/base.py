"""What every contender carries out, what they share, and how an answer that comes in pieces is timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from rag.settings import Settings
from rag.types import Paper

Figures = dict[str, float]
TOKENS_MAX = 80
TOP_K = 4


class Contender(Protocol):
    """Each step is timed from outside; what a step returns is measured inside it, in seconds."""

    def imports(self) -> Figures:
        """Import the library."""
        ...

    def load(self) -> Figures:
        """Load both models."""
        ...

    def index(self, papers: Sequence[Paper]) -> Figures:
        """Make the papers searchable."""
        ...

    def stages(self, question: str) -> Figures:
        """Parts of retrieval: query_embed_s, dense_s, lexical_s, retrieve_s, as far as there are such."""
        ...

    def ask(self, question: str) -> Figures:
        """One answer, streamed: first_token_s, tokens, tokens_per_s, verify_s.

        Who cannot stream gives the time of the whole answer as first_token_s, and says so in its class.
        """
        ...

    def batch(self, questions: Sequence[str]) -> Figures:
        """All of them, as this library answers many."""
        ...


def model_folders() -> dict[str, Path]:
    """The two models as folders that every library reads: float32 safetensors."""
    from rag.models.delta import merged
    from rag.models.gguf import converted_folder
    from rag.models.weights import resolve

    settings = Settings.load()
    generator = resolve(settings.generator, settings)
    return {
        "embedder": merged(resolve(settings.embedding_model, settings), settings.cache_dir).path,
        "generator": converted_folder(generator, settings.cache_dir)
        if generator.path.is_file()
        else generator.path,
    }


def text_of(paper: Paper) -> str:
    """A paper as every peer is given it."""
    return f"{paper.title}\n\n{paper.abstract}"


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and its seconds."""
    began = time.perf_counter()
    found = run()
    return found, time.perf_counter() - began


def decoding(first: float, ended: float, tokens: int) -> Figures:
    """First token and rate after it; a rate needs a second token."""
    figures = {"first_token_s": first, "tokens": float(tokens)}
    if tokens > 1 and ended > first:
        figures["tokens_per_s"] = (tokens - 1) / (ended - first)
    return figures


def streamed(answer: Callable[[], Iterable[str]], tokens_in: Callable[[str], int]) -> Figures:
    """`decoding` of an answer that comes in pieces; nothing when none came."""
    began = time.perf_counter()
    first, text = 0.0, ""
    for piece in answer():
        first = first or time.perf_counter() - began
        text += piece
    ended = time.perf_counter() - began
    return decoding(first, ended, tokens_in(text)) if first else {}


class Clock:
    """A streamer for transformers' `generate`, which puts the prompt into it and then token after token."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._times: list[float] = []

    def put(self, value: object) -> None:
        """Called by `generate`; what came does not matter, only when."""
        self._times.append(time.perf_counter() - self._began)

    def end(self) -> None:
        """Called by `generate` after the last token."""

    def figures(self) -> Figures:
        """`decoding` of what came after the prompt; nothing when no token did."""
        tokens = self._times[1:]
        return decoding(tokens[0], tokens[-1], len(tokens)) if tokens else {}
