"""What the generator is asked, and its answers as plain text. Its errors become ours here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import ensure_config

import prompts
from rag.citations import shown
from rag.errors import CitewiseError, GenerationFailed, PromptError
from rag.types import Evidence

# A second paragraph of a small model is never about the question.
STOP = ("\n\n", "\nQuestion:", "\nSources:")
# What a trained reader writes when the sentences it was shown do not carry an answer.
NOT_IN_EVIDENCE = "Not in the evidence."


def draft_messages(question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
    """The conversation any generator sees: prompts/draft_system.txt and prompts/draft_user.txt, filled.

    :raises PromptError: if a prompt file is missing or its variables do not match.
    """
    return _messages("draft", question, evidence)


def reader_messages(question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
    """The shorter conversation that the trained reader was trained on: prompts/reader_*.txt, filled.

    :raises PromptError: if a prompt file is missing or its variables do not match.
    """
    return _messages("reader", question, evidence)


def _messages(name: str, question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
    return filled(name, {"evidence": evidence_block(evidence), "question": question})


def filled(name: str, values: Mapping[str, str]) -> list[BaseMessage]:
    """The conversation of prompts/<name>_system.txt and prompts/<name>_user.txt, the latter filled.

    :raises PromptError: if a prompt file is missing or its variables do not match.
    """
    try:
        system = prompts.load(f"{name}_system").render({})
        user = prompts.load(f"{name}_user").render(values)
    except prompts.PromptFileError as exc:
        raise PromptError(str(exc), hint="Mend the file in prompts/, or reinstall.") from exc
    return [SystemMessage(system), HumanMessage(user.strip())]


def declines(draft: str) -> bool:
    """True when the reader says that the evidence holds no answer."""
    return draft.strip().casefold().startswith(NOT_IN_EVIDENCE.casefold().rstrip("."))


def evidence_block(evidence: Sequence[Evidence]) -> str:
    """'[1] Title: sentence sentence', a paper a line, sentences in abstract order."""
    lines = []
    for key in dict.fromkeys(item.key for item in evidence):
        own = sorted((e for e in evidence if e.key == key), key=lambda e: e.start)
        text = " ".join(shown(item.text) for item in own)
        lines.append(f"[{key}] {shown(own[0].paper.title)}: {text}")
    return "\n".join(lines)


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
