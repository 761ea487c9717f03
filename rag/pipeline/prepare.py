"""A question before anything is written: what it asks, what was found, whether that is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from numpy.typing import NDArray

from rag.evidence.answerability import AnswerConfidence, answer_features, confidence
from rag.evidence.features import Idf, candidates_of, score
from rag.evidence.select import kind_with_papers, select
from rag.models.logistic import LogisticModel
from rag.models.reranker import Reranker
from rag.pipeline.compose import closest_titles
from rag.query.condense import standalone
from rag.query.intent import Kind, kind_of
from rag.query.sanitise import is_blank, normalise, without_orders
from rag.query.spelling import Spelling
from rag.rerank.cascade import FirstPass, RerankCascade
from rag.rerank.cross_encoder import Ranking
from rag.rerank.query_likelihood import QuestionModel
from rag.settings import Settings
from rag.types import Abstention, AbstentionReason, Evidence, Paper, Passage, Question
from rag.verify.support import Verifier

# What these ask for stands in one paper: when that one is found no other need be read.
_OF_ONE_PAPER: frozenset[Kind] = frozenset({"fact", "find"})
_MESSAGES: dict[AbstentionReason, str] = {
    "empty_question": "There is no question to answer.",
    "empty_collection": "This collection holds no papers yet.",
    "no_evidence": "Nothing in this collection bears on the question.",
    "low_confidence": "The papers found do not seem to answer this question.",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """What the pipeline is given: the parts that can be swapped.

    `reader_asked`: drafts are written by the reader trained for this job, which has a prompt, a refusal,
    a `final_model` and a bar of its own.
    """

    retriever: BaseRetriever
    sentence_cosines: Callable[[str, Sequence[Paper]], Sequence[NDArray[np.float32]]]
    idf: Idf
    spelling: Spelling
    evidence_model: LogisticModel
    confidence_model: LogisticModel
    final_model: AnswerConfidence
    reader_asked: bool
    verifier: Verifier
    generator: BaseChatModel | None
    count_tokens: Callable[[str], int]
    papers_count: int
    reranker: Reranker | None
    paper_model: LogisticModel
    question_model: QuestionModel | None
    likelihood_model: LogisticModel
    prefetch: Callable[[Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question after retrieval: either evidence to draft from, or the reason to abstain."""

    question: Question
    standalone: str
    kind: Kind
    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    abstention: Abstention | None = None
    retrieve_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Glance:
    """A question after a first look at its papers."""

    question: Question
    kind: Kind
    seen: FirstPass
    seconds: float


class Preparation:
    """Turns questions into `PreparedQuestion` ones with the parts it is given."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._settings = settings
        self._finder = RerankCascade(
            ports.retriever,
            ports.reranker,
            ports.paper_model,
            ports.question_model,
            ports.likelihood_model,
            settings,
        )

    def together(self, questions: Sequence[Question]) -> list[PreparedQuestion]:
        """All of them; their vectors are computed in one go."""
        self._ports.prefetch([self.standalone(question) for question in questions])
        return [self.one(question) for question in questions]

    def one(self, question: Question) -> PreparedQuestion:
        """Retrieve, score sentences, and decide whether to go on."""
        return self.settled(self.glance(question))

    def glance(self, question: Question) -> Glance:
        """Retrieve, and read as little as may do."""
        began = time.perf_counter()
        text = self.standalone(question)
        kind = kind_of(text)
        wanted = self._settings.passages_top_k
        if is_blank(text) or not self._ports.papers_count:
            seen = FirstPass(text, wanted)
        else:
            few = self._settings.rerank_first_k if kind in _OF_ONE_PAPER else None
            seen = self._finder.glance(text, wanted, few=few)
        return Glance(question, kind, seen, time.perf_counter() - began)

    def guessed(self, glance: Glance) -> PreparedQuestion:
        """What the question comes to if reading on changes nothing."""
        return self._decided(glance, self._finder.guess)

    def settled(self, glance: Glance) -> PreparedQuestion:
        """What it comes to after all the reading it takes."""
        return self._decided(glance, self._finder.finish)

    def standalone(self, question: Question) -> str:
        """The cleaned question, made to stand alone, slips of the pen mended."""
        limit = self._settings.question_chars_max
        asked = without_orders(normalise(question.text, chars_max=limit))
        if is_blank(asked):
            return asked
        told = [replace(turn, content=normalise(turn.content, chars_max=limit)) for turn in question.history]
        return normalise(self._ports.spelling.mended(standalone(asked, told)), chars_max=limit)

    def find(self, text: str, k: int) -> Ranking:
        """The k papers that fit best, read again where there is a reranker."""
        return self._finder.finish(self._finder.glance(text, k, few=None))

    def _decided(self, glance: Glance, papers_of: Callable[[FirstPass], Ranking]) -> PreparedQuestion:
        began = time.perf_counter()
        prepared = self._prepared(glance, papers_of(glance.seen))
        return replace(prepared, retrieve_s=glance.seconds + time.perf_counter() - began)

    def _prepared(self, glance: Glance, found: Ranking) -> PreparedQuestion:
        question, text, kind = glance.question, glance.seen.text, glance.kind
        if is_blank(text):
            return _refused(question, text, (), "empty_question")
        if not self._ports.papers_count:
            return _refused(question, text, (), "empty_collection")
        passages = found.passages
        papers = [passage.paper for passage in found.seen]
        candidates = candidates_of(found.seen, self._ports.sentence_cosines(text, papers), found.readings)
        if not candidates:
            return _refused(question, text, passages, "no_evidence")
        scored = score(text, candidates, self._ports.evidence_model, self._ports.idf)
        features = answer_features(text, passages, scored, self._ports.idf)
        probability = confidence(features, self._ports.confidence_model)
        if probability < self._settings.answerable_min:
            return replace(_refused(question, text, passages, "low_confidence"), confidence=probability)
        kind, scored = kind_with_papers(text, kind, passages, scored)
        evidence = select(
            scored,
            kind,
            sentences_max=self._settings.evidence_sentences_max,
            tokens_max=self._settings.evidence_tokens_max,
            count_tokens=self._ports.count_tokens,
        )
        return PreparedQuestion(question, text, kind, passages, tuple(evidence), probability)


def abstain(reason: AbstentionReason, passages: Sequence[Passage]) -> Abstention:
    """A refusal with its message and the closest titles."""
    return Abstention(reason, _MESSAGES[reason], closest_titles(passages))


def _refused(
    question: Question, text: str, passages: tuple[Passage, ...], reason: AbstentionReason
) -> PreparedQuestion:
    return PreparedQuestion(question, text, "fact", passages, (), 0.0, abstain(reason, passages))
