"""What the generator is asked: the evidence, keyed, in a prompt of its own kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from langchain_core.messages import BaseMessage

from rag.models.messages import filled
from rag.text.marks import display
from rag.types import Evidence

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


def declines(draft: str) -> bool:
    """True when the reader says that the evidence holds no answer."""
    return draft.strip().casefold().startswith(NOT_IN_EVIDENCE.casefold().rstrip("."))


def evidence_block(evidence: Sequence[Evidence]) -> str:
    """'[1] Title: sentence sentence', a paper a line, sentences in abstract order."""
    lines = []
    for key in dict.fromkeys(item.key for item in evidence):
        own = sorted((e for e in evidence if e.key == key), key=lambda e: e.start)
        text = " ".join(display(item.text) for item in own)
        lines.append(f"[{key}] {display(own[0].paper.title)}: {text}")
    return "\n".join(lines)


class DraftPrompt(Protocol):
    """How a generator is asked, and whether its refusal is one."""

    def messages(self, question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
        """The conversation that asks for a draft."""
        ...

    def declined(self, drafts: Sequence[str]) -> bool | None:
        """Whether all drafts say that there is no answer; None where that is not asked, or nothing was."""
        ...


class ReaderPrompt:
    """The reader trained for this job: it has a prompt of its own, and its refusal counts."""

    def messages(self, question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
        """See `DraftPrompt`."""
        return reader_messages(question, evidence)

    def declined(self, drafts: Sequence[str]) -> bool | None:
        """See `DraftPrompt`."""
        return all(declines(draft) for draft in drafts) if drafts else None


class ChatPrompt:
    """Any other generator: what it says of the evidence is not taken for a judgement."""

    def messages(self, question: str, evidence: Sequence[Evidence]) -> list[BaseMessage]:
        """See `DraftPrompt`."""
        return draft_messages(question, evidence)

    def declined(self, drafts: Sequence[str]) -> bool | None:
        """See `DraftPrompt`."""
        return None
