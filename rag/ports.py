"""What the parts need of one another, as Protocols: of an assistant, of a collection, of whoever watches.

A part names the smallest Protocol here that it can work with, and never the class behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.messages import BaseMessage
    from numpy.typing import NDArray

    from rag.types import Answer, Event, Paper, Passage, Question, Relevance, Turn

# Told as something lasting goes on: its stage, how many are done, and of how many (0: nobody knows).
Progress = Callable[[str, int, int], None]


# A paper as a model reads it: its title and its sentences.
Abstract = tuple[str, Sequence[str]]


# Models, as the stages see them


class Reranker(Protocol):
    """Reads papers for a question."""

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        """One relevance per paper, in order; as many `carries` as the paper has sentences."""


class ReadPrompt(Protocol):
    """Log-probabilities in nats: of what follows an opening, and of each proposed word at its end."""

    @property
    def likelihood(self) -> float:
        """Of what follows the opening, behind its first token."""

    @property
    def first(self) -> tuple[float, ...]:
        """Of each proposed word, in the order in which they were proposed."""


class PaperReader(Protocol):
    """A causal language model that reads papers, as far as ranking and checking ask it."""

    def readings(
        self, conversations: Sequence[Sequence[BaseMessage]], first: Sequence[str]
    ) -> Sequence[ReadPrompt]:
        """What it makes of each conversation: see `rag.models.openings`."""


class TextWriter(Protocol):
    """A chat model that writes short texts."""

    def write(self, conversations: Sequence[Sequence[BaseMessage]]) -> list[str]:
        """One a conversation. :raises GenerationFailed: if the model fails."""


class Verifier(Protocol):
    """Scores claims against their evidence."""

    def support(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """For each (sentence, evidence text) the support, 0..1."""


class EntailmentModel(Protocol):
    """A trained model's log-odds that evidence supports a claim."""

    def logits(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """One per (sentence, evidence text)."""


@runtime_checkable
class ContextEmbeddings(Protocol):
    """Embeddings that can tell sentences apart inside the text they stand in."""

    def in_context(self, texts: Sequence[tuple[str, Sequence[str]]]) -> list[NDArray[np.float32]]:
        """A title and sentences each. Rows (1 + sentences, dimension): the whole, then every sentence."""


# A collection


class Vectors(Protocol):
    """The vectors of a collection's chunks."""

    def ids(self) -> list[str]:
        """All chunk ids."""

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Their rows, of shape (ids, dimensions)."""


class Indexed(Protocol):
    """A collection's papers with their vectors."""

    @property
    def store(self) -> Vectors:
        """The vectors of the chunks."""

    def all_papers(self) -> Iterator[Paper]:
        """Every paper, by id."""


# An assistant


class BatchAnswers(Protocol):
    """Answers to many questions: what files of questions need."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that can change an answer."""

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """One answer per question, in order; a question that fails gives status `error`."""


class Answers(BatchAnswers, Protocol):
    """Answers as they come about, over so many papers: what every door needs."""

    @property
    def papers_count(self) -> int:
        """Number of papers in the collection."""

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        """Answer one question, telling how far it is; `Finished` comes last."""

    def search(self, query: str, k: int = 10) -> list[Passage]:
        """The k papers that fit a query best."""


class TerminalAnswers(Answers, Protocol):
    """The same where nobody may be watching: what the commands need."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer one question."""


class BrowsableAnswers(Answers, Protocol):
    """The same with the papers to leaf through: what the server for programs needs."""

    def paper(self, paper_id: str) -> Paper | None:
        """The paper of this id; None when there is none."""

    def papers(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        """Papers by id behind `after`, a page at a time; only those that hold `words`."""


class MappedAnswers(Answers, Protocol):
    """The same with the collection behind it, to be drawn as a map: what the page needs."""

    @property
    def index(self) -> Indexed:
        """Its papers and vectors."""
