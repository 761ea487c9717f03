"""Drafts as plain text, a paper each, written together or piece by piece. The generator's errors become ours.

The stage is `Drafting`, or `Quoting` where nothing is to be written. A generator is shown one whole abstract
and then the question (`rag.models.openings`), whichever generator it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import ensure_config

from rag.errors import CitewiseError, GenerationFailed
from rag.models import openings
from rag.types import Draft, Evidence, PaperText, PreparedQuestion

# A second paragraph of a small model is never about the question.
STOP = ("\n\n", "\nQuestion:", "\nTitle:")


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


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What the generator is asked for one draft; the paper it is told, with its sentences as evidence."""

    messages: tuple[BaseMessage, ...]
    evidence: tuple[Evidence, ...]
    paper: PaperText


@dataclass(frozen=True, slots=True)
class Drafting:
    """The stage: drafts by a chat model, one a paper that answers."""

    model: BaseChatModel
    writes = True

    def requests(self, prepared: PreparedQuestion) -> list[DraftRequest]:
        """What to ask, in the order of the keys; nothing where there is no evidence."""
        if prepared.abstention is not None:
            return []
        told = openings.asked(prepared.standalone)
        found = []
        for key in sorted({item.key for item in prepared.evidence}):
            own = prepared.of_paper(key)
            paper = prepared.texts[own[0].paper.paper_id]
            messages = openings.conversation(openings.of_text(paper, own[0].start), told)
            found.append(DraftRequest(tuple(messages), own, paper))
        return found

    def together(self, requests: Sequence[DraftRequest]) -> list[Draft]:
        """All drafts in one batch. :raises GenerationFailed: see `write_together`."""
        texts = write_together(self.model, [list(request.messages) for request in requests])
        return [
            Draft(text, request.evidence, request.paper)
            for text, request in zip(texts, requests, strict=True)
        ]

    def pieces(self, request: DraftRequest) -> Iterator[str]:
        """One draft as it is written. :raises GenerationFailed: see `write_in_pieces`."""
        return write_in_pieces(self.model, list(request.messages))

    def summaries(self, asked: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> list[str]:
        """To each question one or two sentences over what papers say of it: (title, sentence).

        :raises GenerationFailed: see `write_together`.
        """
        return write_together(
            self.model,
            [
                openings.conversation(openings.of_findings(told), openings.asked(question))
                for question, told in asked
            ],
        )


class Quoting:
    """No generator, or none wanted: nothing is drafted, everything is quoted."""

    writes = False

    def requests(self, prepared: PreparedQuestion) -> list[DraftRequest]:
        """None."""
        return []

    def together(self, requests: Sequence[DraftRequest]) -> list[Draft]:
        """None."""
        return []

    def pieces(self, request: DraftRequest) -> Iterator[str]:
        """None."""
        return iter(())

    def summaries(self, asked: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> list[str]:
        """Nothing is summed up."""
        return ["" for _ in asked]


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
