"""The JSON of requests and responses as pydantic models: what OpenAPI and the agent tools describe.

Responses are not made from these models but by `Answer.to_dict()` and the functions below; a test holds
the two together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.types import Answer, Paper, Passage, Turn

_ABSTRACT_CHARS_MAX = 20_000
_QUESTION = "How much higher throughput does Monarch Mixer achieve at sequence length 4K?"


class Body(BaseModel):
    """Unknown fields are refused: a misspelt option must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class Message(Body):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str

    def turn(self) -> Turn:
        """As the assistant takes it."""
        return Turn(self.role, self.content)


class AskBody(Body):
    """A question, what was said before, and whether to stream."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": _QUESTION, "stream": False}]}
    )
    question: str
    history: list[Message] = Field(default_factory=list)
    stream: bool = Field(default=False, description="Server-sent events instead of one JSON object.")


class SearchBody(Body):
    """What to look for, and how many papers."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "linear attention", "k": 5}]}
    )
    query: str
    k: int = 10


class BatchQuestion(Body):
    """A question of a batch; `id` comes back with its answer."""

    question: str
    id: str | int | None = None
    history: list[Message] = Field(default_factory=list)


class BatchBody(Body):
    """Questions to be answered one after another."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"questions": [_QUESTION, {"id": "b", "question": "..."}]}]},
    )
    questions: list[str | BatchQuestion] = Field(min_length=1)


class QuoteBody(Body):
    """Verbatim characters `[start, end)` of an abstract."""

    text: str
    start: int
    end: int


class CitationBody(Body):
    """A cited paper: its key [n] and the sentences that carry the answer."""

    key: int
    paper_id: str
    title: str
    url: str | None = None
    year: int | None = None
    quotes: list[QuoteBody]


class SentenceBody(Body):
    """A sentence of the answer, the keys it cites, and how far they carry it."""

    text: str
    citations: list[int]
    support: Annotated[float, Field(ge=0, le=1)]


class PassageBody(Body):
    """A retrieved paper."""

    paper_id: str
    title: str
    rank: int
    score: float


class FindingBody(Body):
    """What one paper says, where several answer."""

    key: int
    title: str
    text: str


class AbstentionBody(Body):
    """Why there is no answer, and what comes closest."""

    reason: str
    message: str
    closest: list[str]


class FailureBody(Body):
    """What went wrong with one question of a batch."""

    type: str
    message: str
    hint: str


class AnswerBody(Body):
    """An answer. Every sentence in it was checked against the sentences it cites."""

    id: str | None
    question: str
    standalone_question: str
    status: Literal["answered", "quoted", "abstained", "error"]
    answer: str = Field(description="The text with [1] marks.")
    confidence: Annotated[float, Field(ge=0, le=1)]
    doubt: str = Field(description="What speaks most against it; empty where it is sure.")
    sentences: list[SentenceBody]
    citations: list[CitationBody]
    findings: list[FindingBody]
    passages: list[PassageBody]
    abstention: AbstentionBody | None
    error: FailureBody | None
    timings: dict[str, float]
    fingerprint: str


class FoundBody(PassageBody):
    """A paper found by a search, with its abstract."""

    url: str | None
    year: int | None
    abstract: str


class SearchResultBody(Body):
    """The papers that fit best."""

    results: list[FoundBody]


class PaperBody(Body):
    """A paper as it is stored."""

    paper_id: str
    title: str
    abstract: str
    year: int | None
    url: str | None
    venue: str | None
    authors: list[str]


class PapersBody(Body):
    """A page of papers; `next` is what to send as `after` for the next page, null at the end."""

    papers: list[PaperBody]
    next: str | None
    total: int = Field(description="Papers in the collection.")


class ProblemBody(BaseModel):
    """An error (RFC 9457): `detail` says what is wrong, `hint` what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str


def turns_of(messages: list[Message]) -> tuple[Turn, ...]:
    """The history as the assistant takes it."""
    return tuple(message.turn() for message in messages)


def paper_dict(paper: Paper) -> dict[str, Any]:
    """A paper as JSON. Where it was read from stays ours: that may name files of this machine."""
    return {
        "paper_id": paper.paper_id,
        "title": paper.title,
        "abstract": paper.abstract[:_ABSTRACT_CHARS_MAX],
        "year": paper.year,
        "url": paper.url,
        "venue": paper.venue,
        "authors": list(paper.authors),
    }


def found_dict(found: Passage, *, abstract_chars_max: int = _ABSTRACT_CHARS_MAX) -> dict[str, Any]:
    """A paper found by a search, with its abstract, as JSON."""
    return {**found.to_dict(), "abstract": found.paper.abstract[:abstract_chars_max]}


def example_answer() -> dict[str, Any]:
    """An answer for the API's description."""
    from rag.types import Citation, Quote, Sentence

    quote = Quote("Monarch Mixer reaches 9.1x higher throughput at sequence length 4K.", 130, 197)
    text = "Monarch Mixer achieves 9.1x higher throughput at sequence length 4K [1]."
    return Answer(
        question=_QUESTION,
        standalone_question=_QUESTION,
        status="answered",
        text=text,
        confidence=0.93,
        sentences=(Sentence(text, (1,), 0.97),),
        citations=(Citation(1, "2310.12109", "Monarch Mixer", (quote,), year=2023),),
        fingerprint="0123456789abcdef",
    ).to_dict()
