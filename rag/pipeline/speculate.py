"""A draft begun while its paper is still in doubt (docs/decisions/0015); in a stream, of a fact.

Where the first paper is not sure, it is drafted from before the others are read: mostly it stays the first,
and the draft is the one that is wanted, because the generator would be told the very same words. Else another
is begun: `writing` once more.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence

from rag.generate.drafts import Drafting, DraftRequest, Quoting
from rag.pipeline.prepare import BegunQuestion, Preparation
from rag.types import Draft, DraftToken, Event, PreparedQuestion, Question, StageName, StageStarted


def written_ahead(
    preparation: Preparation, drafts: WrittenDrafts, question: Question
) -> Generator[Event, None, PreparedQuestion]:
    """The question prepared; where reading on is needed, what will probably be asked is written first."""
    begun, prepared = preparation.at_first(question)
    if prepared is None:
        yield from drafts.events(_probable(preparation, begun))
    yield drafts.stage("reading")
    return preparation.read_on(begun) if prepared is None else prepared


def _probable(preparation: Preparation, begun: BegunQuestion) -> list[DraftRequest]:
    """What the generator will probably be asked, of a question with more to be read: of a fact only."""
    generate = preparation.stages.generate
    if begun.asked.kind != "fact" or not generate.writes:
        return []
    prepared = preparation.provisional(begun)
    return generate.requests(prepared) if prepared.kind == "fact" else []


class WrittenDrafts:
    """The drafts of one question as they are written, each request once.

    :param began: when the question was asked, by `time.perf_counter`.
    """

    def __init__(self, generate: Drafting | Quoting, began: float) -> None:
        self._generate = generate
        self._began = began
        self._written: dict[tuple[str, ...], tuple[str, float]] = {}
        self.seconds = 0.0  # how long writing took in all

    def stage(self, name: StageName) -> StageStarted:
        """A stage that begins now."""
        return StageStarted(name, time.perf_counter() - self._began)

    def events(self, requests: Sequence[DraftRequest]) -> Iterator[Event]:
        """What is missing of these, written: a stage and its pieces, where there is any.

        :raises GenerationFailed: if the model, or the endpoint behind it, fails.
        """
        if not self._holds(requests):
            yield self.stage("writing")
            yield from map(DraftToken, self.write(requests))

    def write(self, requests: Sequence[DraftRequest]) -> Iterator[str]:
        """What is missing, in pieces; a line ends with each draft. :raises GenerationFailed: as `events`."""
        for request in requests:
            if not self._holds([request]):
                yield from self._piece_by_piece(request)
                yield "\n"

    def of(self, requests: Sequence[DraftRequest]) -> list[Draft]:
        """The drafts of requests that were written, on the evidence that they have now."""
        return [
            Draft(self._written[_words(request)][0], request.evidence, request.paper) for request in requests
        ]

    def first_token_s(self, requests: Sequence[DraftRequest]) -> float:
        """Seconds from the question to the first piece of these; 0 where there is none."""
        times = [self._written[_words(request)][1] for request in requests]
        return min((at - self._began for at in times if at), default=0.0)

    def _holds(self, requests: Sequence[DraftRequest]) -> bool:
        return all(_words(request) in self._written for request in requests)

    def _piece_by_piece(self, request: DraftRequest) -> Iterator[str]:
        began = time.perf_counter()
        first, pieces = 0.0, []
        for piece in self._generate.pieces(request):
            first = first or time.perf_counter()
            pieces.append(piece)
            yield piece
        self._written[_words(request)] = "".join(pieces).strip(), first
        self.seconds += time.perf_counter() - began


def _words(request: DraftRequest) -> tuple[str, ...]:
    return tuple(str(message.content) for message in request.messages)
