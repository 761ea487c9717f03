"""Questions and answers: what a door hands in and what it receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rag.types.papers import Evidence, Passage

Status = Literal["answered", "quoted", "abstained", "error"]
Role = Literal["user", "assistant"]
_SEVERAL = 2  # papers
AbstentionReason = Literal["empty_question", "no_evidence", "low_confidence", "empty_collection"]


@dataclass(frozen=True, slots=True)
class Quote:
    """Verbatim characters `[start, end)` of a paper's abstract."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A key used in an answer, resolved: the paper and the sentences of it that carry the answer."""

    key: int
    paper_id: str
    title: str
    quotes: tuple[Quote, ...]
    url: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer: its keys and how far the cited evidence carries it (0..1)."""

    text: str
    citations: tuple[int, ...]
    support: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What one paper says to a question: its key, its title, a sentence or two."""

    key: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DroppedSentence:
    """A drafted sentence that was not shown, and the check it failed."""

    text: str
    reason: str
    support: float


@dataclass(frozen=True, slots=True)
class Abstention:
    """A refusal as a value: a machine-readable reason, a sentence for a person, the closest titles."""

    reason: AbstentionReason
    message: str
    closest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one question, when a door must carry on with the next."""

    type: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a door hands in: the words, what was said before, and the caller's own id."""

    text: str
    history: tuple[Turn, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock seconds; 0.0 for what did not run.

    `retrieve_s` is all before writing (reranking and selection, too), `verify_s` all after it.
    """

    retrieve_s: float = 0.0
    first_token_s: float = 0.0
    generate_s: float = 0.0
    verify_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened on the way, for people who check: never part of the public JSON."""

    kind: str = "fact"
    signals: Mapping[str, float] = field(default_factory=dict, hash=False)  # behind the confidence
    draft: str = ""
    evidence: tuple[Evidence, ...] = ()
    dropped: tuple[DroppedSentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The one result of every door. `text` carries [n] marks that resolve in `citations`."""

    question: str
    standalone_question: str
    status: Status
    text: str
    confidence: float
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    abstention: Abstention | None = None
    error: Failure | None = None
    timings: Timings = field(default_factory=Timings)
    fingerprint: str = ""
    trace: Trace = field(default_factory=Trace)
    id: str | None = None
    doubt: str = ""  # what speaks most against an answer that is not sure

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What each paper says, in the order of the keys, where several papers answer; else empty.

        What rests on several of them at once is a summary and none of these.
        """
        titles = {citation.key: citation.title for citation in self.citations}
        told: dict[int, list[str]] = {}
        for sentence in self.sentences:
            if len(sentence.citations) == 1:
                told.setdefault(sentence.citations[0], []).append(sentence.text)
        if len(told) < _SEVERAL:
            return ()
        return tuple(Finding(key, titles.get(key, ""), " ".join(own)) for key, own in sorted(told.items()))

    @classmethod
    def failed(cls, question: Question, failure: Failure, fingerprint: str) -> Answer:
        """The answer that stands for a question which could not be asked or answered."""
        return cls(
            question=question.text,
            standalone_question=question.text,
            status="error",
            text="",
            confidence=0.0,
            error=failure,
            fingerprint=fingerprint,
            id=question.id,
        )

    def to_dict(self) -> dict[str, Any]:
        """The public JSON object (docs/design.md section 5), keys in the published order."""
        return {
            "id": self.id,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "status": self.status,
            "answer": self.text,
            "confidence": round(self.confidence, 4),
            "doubt": self.doubt,
            "sentences": [
                {"text": s.text, "citations": list(s.citations), "support": round(s.support, 4)}
                for s in self.sentences
            ],
            "citations": [_citation_dict(c) for c in self.citations],
            "findings": [asdict(finding) for finding in self.findings],
            "passages": [passage.brief() for passage in self.passages],
            "abstention": asdict(self.abstention) if self.abstention else None,
            "error": asdict(self.error) if self.error else None,
            "timings": {name: round(value, 4) for name, value in asdict(self.timings).items()},
            "fingerprint": self.fingerprint,
        }


def _citation_dict(citation: Citation) -> dict[str, Any]:
    """A citation as JSON; `url` and `year` only when the paper has them."""
    found: dict[str, Any] = {
        "key": citation.key,
        "paper_id": citation.paper_id,
        "title": citation.title,
    }
    if citation.url:
        found["url"] = citation.url
    if citation.year:
        found["year"] = citation.year
    found["quotes"] = [asdict(quote) for quote in citation.quotes]
    return found
