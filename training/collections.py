"""Written questions put to dealt collections: what the product's own retrieval and reading bring back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.public.answerability_sets import clapnq
from rag.evidence.features import Candidate, Idf
from rag.index.build import ingest_papers
from rag.index.paper_index import PaperIndex, open_index
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root, open_embedder
from rag.models.load import load_question_model
from rag.models.logistic import LogisticModel
from rag.models.shared import load_reranker
from rag.rerank.cross_encoder import abstract_of, is_sure, ranked
from rag.rerank.query_likelihood import with_likelihoods
from rag.retrieve.retrievers import HybridRetriever
from rag.retrieve.scores import sentence_cosines
from rag.settings import Settings
from rag.types import Paper, PaperText, Passage, Ranking, Relevance
from training.examples import Abstract, Example, crossed, split

_SIZE = 160
_EVERY = 2  # of the answerable ones: reading a dozen abstracts for each takes half a second
_SINGLE = ("fact_paraphrase", "fact_lexical", "find", "definition", "numeric")
_NEAR = ("near_unanswerable", "numeric_unanswerable")


@dataclass(frozen=True, slots=True)
class QuestionCase:
    """A question put to collection `group`. `right`: papers that answer it, with evidence sentences."""

    question: str
    group: int
    kind: str
    first_half: bool
    right: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def bears(self, candidate: Candidate) -> bool:
        """Whether the sentence overlaps the written evidence of a right paper."""
        told = self.right.get(candidate.passage.paper.paper_id, ())
        return any(candidate.text in sentence or sentence in candidate.text for sentence in told)


@dataclass(frozen=True, slots=True)
class RetrievedCase:
    """What came back: passages in retrieval's order, relevance beside them; cosines and texts by paper id."""

    put: QuestionCase
    passages: list[Passage]
    relevance: list[Relevance]
    cosines: dict[str, NDArray[np.float32]]
    texts: dict[str, PaperText]
    idf: Idf


class Collections:
    """The papers of the held-out questions, dealt and indexed by the product's own code."""

    def __init__(self, data: Path, settings: Settings) -> None:
        _, held = split(data)
        found = {paper.id: paper for example in held for paper in example.papers}
        self.pool: list[Abstract] = list(found.values())
        self.groups = max(2, len(self.pool) // _SIZE)
        self.group_of = {paper.id: place % self.groups for place, paper in enumerate(self.pool)}
        self.embedder = open_embedder(settings)
        self.encoder = QueryEncoder(self.embedder.model, kept=50_000)
        self._reranker, _ = load_reranker(settings)
        self.question_model, _ = load_question_model(settings)
        self._settings = settings
        self._indexes, self._retrievers = [], []
        for group in range(self.groups):
            root = collection_root(settings, f"fit-{self.groups}-{group}")
            ingest_papers(
                root, [paper_of(p) for p in self.pool[group :: self.groups]], self.embedder, settings
            )
            index = open_index(root)
            self._indexes.append(index)
            self._retrievers.append(HybridRetriever(index=index, settings=settings, encoder=self.encoder))

    def index(self, group: int) -> PaperIndex:
        """The papers of one collection."""
        return self._indexes[group]

    def ask(self, put: QuestionCase) -> RetrievedCase:
        """Retrieve from one collection, and read what was found."""
        passages = self._retrievers[put.group].passages(put.question, self._settings.rerank_top_k)
        index = self._indexes[put.group]
        papers = [passage.paper for passage in passages]
        texts = index.texts(papers)
        rows = sentence_cosines(index, self.encoder, put.question, papers, texts)
        abstracts = [abstract_of(text) for text in texts]
        relevance = self._reranker.read(put.question, abstracts) if self._reranker else []
        cosines = {paper.paper_id: row for paper, row in zip(papers, rows, strict=True)}
        by_id = {paper.paper_id: text for paper, text in zip(papers, texts, strict=True)}
        return RetrievedCase(put, passages, relevance, cosines, by_id, index.lexical.idf)

    def with_likelihoods(self, one: RetrievedCase, papers: LogisticModel) -> RetrievedCase:
        """The same, and what the question model says of the first papers, where the product would ask it."""
        found = in_turn(one, papers, self._settings)
        if self.question_model is None or is_sure(found, self._settings.sure_min):
            return one
        relevance = with_likelihoods(
            one.put.question,
            found,
            self.question_model,
            self._settings.likelihood_top_k,
            whole=self._settings.read_ahead_mb > 0,
        ).relevance
        return replace(one, relevance=[relevance[p.paper.paper_id] for p in one.passages])


def in_turn(one: RetrievedCase, papers: LogisticModel, settings: Settings) -> Ranking:
    """What the product would have read, in the order in which it would have put it."""
    found = ranked(one.passages, one.relevance[: settings.rerank_first_k], papers)
    if not is_sure(found, settings.sure_min):
        found = ranked(one.passages, one.relevance, papers)
    return replace(found, texts=one.texts)


def paper_of(abstract: Abstract) -> Paper:
    """As the product stores it."""
    return Paper(abstract.id, abstract.title, abstract.text)


def questions_of(data: Path, collections: Collections) -> Iterator[QuestionCase]:
    """Held-out questions: answerable, near misses, of the wrong collection, of another field, crossed."""
    _, held = split(data)
    answerable = [example for example in held if example.type in _SINGLE]
    for number, example in enumerate(answerable[::_EVERY]):
        group = collections.group_of[example.papers[0].id]
        yield QuestionCase(example.question, group, "answerable", _half(example), _right(example))
        if number % 3 == 0:
            yield QuestionCase(example.question, (group + 1) % collections.groups, "absent", _half(example))
    for example in held:
        if example.type in _NEAR:
            yield QuestionCase(
                example.question, collections.group_of[example.papers[0].id], "near", _half(example)
            )
    for number, asked in enumerate(clapnq(data).questions):
        if number % 4 == 0:
            yield QuestionCase(asked.text, number % collections.groups, "far", number % 8 == 0)
    for number, (question, group) in enumerate(crossed(collections.pool, collections.groups)):
        if number % 20 == 0:
            yield QuestionCase(question, group, "crossed", number % 40 == 0)


def _half(example: Example) -> bool:
    """By paper, so that no paper stands in both halves."""
    return sum(example.papers[0].id.encode()) % 2 == 0


def _right(example: Example) -> dict[str, tuple[str, ...]]:
    paper = example.papers[0]
    return {paper.id: tuple(paper.sentences[s] for _, s in example.evidence)}
