"""What writes a text after a prompt, greedily: the port behind which the engines stand."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from rag.models.chat_tokens import Turns


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

    def pieces(self, prompt: str, stop: Sequence[str], tokens_max: int) -> Generator[str, None, None]:
        """The same text as it is written. Closing the iterator stops the model.

        :raises GenerationFailed: if the engine fails.
        """
        ...
