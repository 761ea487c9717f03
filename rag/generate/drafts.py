"""Drafts as plain text, written together or piece by piece. The generator's errors become ours here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import ensure_config

from rag.errors import CitewiseError, GenerationFailed

# A second paragraph of a small model is never about the question.
STOP = ("\n\n", "\nQuestion:", "\nSources:")


def write_together(generator: BaseChatModel, conversations: list[list[BaseMessage]]) -> list[str]:
    """One draft per conversation, generated in one batch where the model can.

    :raises GenerationFailed: if the model, or the endpoint behind it, fails.
    """
    if not conversations:
        return []
    with _errors_are_ours():
        callbacks = ensure_config().get("callbacks")  # of the chain we run in, if any
        result = generator.generate(conversations, stop=list(STOP), callbacks=callbacks)
        return [row[0].text.strip() for row in result.generations]


def write_in_pieces(generator: BaseChatModel, conversation: list[BaseMessage]) -> Iterator[str]:
    """The same draft, as it is written.

    :raises GenerationFailed: if the model, or the endpoint behind it, fails.
    """
    with _errors_are_ours():
        for chunk in generator.stream(conversation, stop=list(STOP)):
            yield str(chunk.text)


class Drafts:
    """The drafts of one question as they are written, each conversation once.

    `seconds`: how long writing took in all.
    """

    def __init__(self, generator: BaseChatModel | None) -> None:
        self._generator = generator
        self._written: dict[tuple[str, ...], tuple[str, float]] = {}
        self.seconds = 0.0

    def holds(self, conversations: Sequence[list[BaseMessage]]) -> bool:
        """Whether all of them were written."""
        return all(_words(conversation) in self._written for conversation in conversations)

    def write(self, conversations: Sequence[list[BaseMessage]]) -> Iterator[str]:
        """What is missing, in pieces; a line ends with each draft.

        :raises GenerationFailed: if the model, or the endpoint behind it, fails.
        """
        for conversation in conversations:
            if not self.holds([conversation]):
                yield from self._piece_by_piece(conversation)
                yield "\n"

    def _piece_by_piece(self, conversation: list[BaseMessage]) -> Iterator[str]:
        assert self._generator is not None
        began = time.perf_counter()
        first, pieces = 0.0, []
        for piece in write_in_pieces(self._generator, conversation):
            first = first or time.perf_counter()
            pieces.append(piece)
            yield piece
        self._written[_words(conversation)] = "".join(pieces).strip(), first
        self.seconds += time.perf_counter() - began

    def of(self, conversations: Sequence[list[BaseMessage]]) -> list[str]:
        """The drafts of conversations that were written."""
        return [self._written[_words(conversation)][0] for conversation in conversations]

    def begun(self, conversations: Sequence[list[BaseMessage]]) -> float | None:
        """When, by `time.perf_counter`, the first piece of these was there; None where there is none."""
        times = [self._written[_words(conversation)][1] for conversation in conversations]
        return min((at for at in times if at), default=None)


def _words(conversation: list[BaseMessage]) -> tuple[str, ...]:
    return tuple(str(message.content) for message in conversation)


@contextmanager
def _errors_are_ours() -> Iterator[None]:
    """Any LangChain chat model may stand here, and each provider raises its own kinds."""
    try:
        yield
    except CitewiseError:
        raise
    except Exception as exc:
        raise GenerationFailed(
            f"the generator failed: {type(exc).__name__}: {exc}",
            hint="Ask again; check the endpoint; or answer by quotes only: CITEWISE_GENERATOR=none.",
        ) from exc
