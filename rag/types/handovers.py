"""What the stages of a question hand to one another. Nouns only: no stage needs to know another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.types.answers import Abstention, Question
from rag.types.papers import Evidence, PaperText, Passage

Kind = Literal["fact", "find", "compare", "collect"]
OF_SEVERAL_PAPERS: frozenset[Kind] = frozenset({"compare", "collect"})


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as it is read: `text` stands alone, mended, without orders; `kind` is what it asks for."""

    question: Question
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Hits:
    """Passages as retrieved, best first, and their papers as they are read, by paper id."""

    passages: tuple[Passage, ...] = ()
    texts: Mapping[str, PaperText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relevance:
    """Log-odds: the paper is what the question is about, it answers it, each sentence carries the answer.

    Where the reader read the whole abstract, `likelihood`: by how many nats it makes the question likelier,
    and `telling`: log-odds that it tells what is asked.
    """

    about: float
    answers: float
    carries: tuple[float, ...]
    likelihood: float | None = None
    telling: float | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Passages, best first; by paper id, what was read in those that were read, and the texts of all."""

    passages: tuple[Passage, ...]
    relevance: Mapping[str, Relevance]
    texts: Mapping[str, PaperText] = field(default_factory=dict)

    @property
    def read_passages(self) -> tuple[Passage, ...]:
        """The passages whose sentences may be told: those that were read; all where nothing reads."""
        return tuple(p for p in self.passages if p.paper.paper_id in self.relevance) or self.passages

    def first(self, count: int) -> Ranking:
        """The best `count` of them."""
        passages = self.passages[:count]
        kept = {p.paper.paper_id for p in passages}
        relevance = {key: own for key, own in self.relevance.items() if key in kept}
        return Ranking(passages, relevance, self.texts)


@dataclass(frozen=True, slots=True)
class SelectedEvidence:
    """The sentences to be told, best first, and how likely the collection answers at all, 0..1."""

    kind: Kind
    sentences: tuple[Evidence, ...]
    answerable: float


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question before anything is written: either evidence to draft from, or the reason to abstain."""

    question: Question
    standalone: str
    kind: Kind
    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    abstention: Abstention | None = None
    retrieve_s: float = 0.0
    texts: Mapping[str, PaperText] = field(default_factory=dict)
    readings: Mapping[str, Relevance] = field(default_factory=dict)

    def of_paper(self, key: int) -> tuple[Evidence, ...]:
        """The evidence of one paper, best first."""
        return tuple(item for item in self.evidence if item.key == key)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the generator wrote of a paper, and the paper's sentences: nothing else may carry it."""

    text: str
    evidence: tuple[Evidence, ...]
    paper: PaperText


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of writing: the best support that stood, or 0, and what the reader makes of it.

    `telling`: log-odds that the abstract of the first paper told tells what is asked; `right`: log-odds that
    what stood answers it; None where no reader was asked. `missing`: the share of the question's names that
    no told paper holds; `first`: the probability that the first paper told is the right one. `rests`: how
    telling the sentences are that it rests on (`rag.pipeline.compose.rests`), 0 where nothing stood.
    """

    support: float
    telling: float | None = None
    right: float | None = None
    missing: float = 0.0
    first: float = 0.5
    several: bool = False
    rests: float = 0.0
