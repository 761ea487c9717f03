"""Drafts as plain text, written together or piece by piece. The generator's errors become ours here.

The stage is `Drafting`, or `Quoting` where nothing is to be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import ensure_config

from rag.errors import CitewiseError, GenerationFailed
from rag.generate.prompt import DraftPrompt
from rag.models.logistic import logit
from rag.types import Draft, Evidence, PreparedQuestion

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


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What the generator is asked for one draft, and the evidence it is told."""

    messages: tuple[BaseMessage, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Drafting:
    """The stage: drafts by a chat model, one of a fact, else one a paper.

    :param gap_max: of a fact, sentences whose log-odds are this much below the best one's are not told.
    """

    model: BaseChatModel
    prompt: DraftPrompt
    gap_max: float
    writes = True

    def requests(self, prepared: PreparedQuestion) -> list[DraftRequest]:
        """What to ask; nothing where there is no evidence, or where a paper is sought and quotes will do."""
        if prepared.abstention is not None or prepared.kind == "find":
            return []
        parts = evidence_of_drafts(prepared, gap_max=self.gap_max)
        asked = prepared.standalone
        return [DraftRequest(tuple(self.prompt.messages(asked, part)), tuple(part)) for part in parts]

    def together(self, requests: Sequence[DraftRequest]) -> list[Draft]:
        """All drafts in one batch. :raises GenerationFailed: see `write_together`."""
        texts = write_together(self.model, [list(request.messages) for request in requests])
        return [Draft(text, request.evidence) for text, request in zip(texts, requests, strict=True)]

    def pieces(self, request: DraftRequest) -> Iterator[str]:
        """One draft as it is written. :raises GenerationFailed: see `write_in_pieces`."""
        return write_in_pieces(self.model, list(request.messages))

    def declined(self, drafts: Sequence[Draft]) -> bool | None:
        """Whether the drafts say that there is no answer: see `DraftPrompt.declined`."""
        return self.prompt.declined([draft.text for draft in drafts])


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

    def declined(self, drafts: Sequence[Draft]) -> bool | None:
        """Nobody was asked."""
        return None


def evidence_of_drafts(prepared: PreparedQuestion, *, gap_max: float) -> list[list[Evidence]]:
    """What each draft may rest on: of a fact the paper of the best sentence, else each paper's own evidence.

    `gap_max`: sentences whose log-odds are this much below the best one's would only distract from a fact.
    The gap between two sentences of a paper does not depend on what else was read.
    """
    keys = dict.fromkeys(item.key for item in prepared.evidence)
    parts = [[item for item in prepared.evidence if item.key == key] for key in keys]
    if prepared.kind != "fact":
        return parts
    best = parts[0] if parts else []
    return [[item for item in best if logit(item.score) >= logit(best[0].score) - gap_max]]


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
