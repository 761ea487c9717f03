"""What writes a text after a prompt, greedily: the port behind which the engines stand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rag.errors import GenerationFailed
from rag.models.engines.chat_template import Turns

LIKELIHOOD_TOKENS_MAX = 64  # its scores take 0.2 MB a token and prompt


class Decoder(Protocol):
    """A loaded causal model with its tokenizer. Same input, same output. One caller at a time."""

    def prompt(self, turns: Turns) -> str:
        """What the model reads, after its chat template."""
        ...

    def count(self, text: str) -> int:
        """Number of tokens of a plain text."""
        ...

    def write(self, prompts: Sequence[str], stop: Sequence[str], tokens_max: int) -> list[str]:
        """The new text of each prompt, decoded together; each ends at its stop string or somewhat later.

        :raises GenerationFailed: if the engine fails.
        """
        ...

    def likelihoods(self, prompts: Sequence[str], text: str) -> list[float]:
        """The log-probability in nats of a text, cut at `LIKELIHOOD_TOKENS_MAX`, after each prompt.

        May be called while another thread writes.

        :raises GenerationFailed: if the engine fails.
        """
        ...

    def pieces(self, prompt: str, stop: Sequence[str], tokens_max: int) -> Generator[str, None, None]:
        """The same text as it is written. Closing the iterator stops the model.

        :raises GenerationFailed: if the engine fails.
        """
        ...


@contextmanager
def failures_are_ours() -> Iterator[None]:
    """What an engine raises becomes `GenerationFailed`."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, IndexError) as exc:
        raise GenerationFailed(
            f"the generator failed: {exc}", hint="Ask again, or set CITEWISE_GENERATOR=none."
        ) from exc
