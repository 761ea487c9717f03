"""What writes a text after a prompt, greedily: the port behind which the engines stand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rag.errors import GenerationFailed
from rag.models.engines.chat_template import Turns

LIKELIHOOD_TOKENS_MAX = 64  # its scores take 0.2 MB a token and prompt


@dataclass(frozen=True, slots=True)
class Split:
    """A prompt in two, tokenised apart: what every question behind it shares, and the rest.

    What was read of the opening can be kept and gone on from; without one the prompt is read whole.
    `keeps`: others will begin like this.
    """

    opening: str
    rest: str
    keeps: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model makes of a prompt: log-probabilities in nats.

    `likelihood`: of the rest behind its first token, cut at its last `LIKELIHOOD_TOKENS_MAX` tokens; `first`:
    of each word that was proposed to come next, by its first token.
    """

    likelihood: float
    first: tuple[float, ...]


class Decoder(Protocol):
    """A loaded causal model with its tokenizer. Same input, same output. One caller at a time."""

    def prompt(self, turns: Turns) -> str:
        """What the model reads, after its chat template."""
        ...

    def count(self, text: str) -> int:
        """Number of tokens of a plain text."""
        ...

    def write(
        self, prompts: Sequence[Split], stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> list[str]:
        """The new text of each prompt, decoded together; each ends at its stop string or somewhat later.

        :param never_first: no text begins with the first token of this.
        :raises GenerationFailed: if the engine fails.
        """
        ...

    def read(self, prompts: Sequence[Split], proposed: Sequence[str]) -> list[Reading]:
        """How likely each prompt's rest is, and each proposed word after it.

        May be called while another thread writes.

        :raises GenerationFailed: if the engine fails.
        """
        ...

    def pieces(
        self, prompt: Split, stop: Sequence[str], tokens_max: int, *, never_first: str = ""
    ) -> Generator[str, None, None]:
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
