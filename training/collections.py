"""Written questions put to dealt collections: what the product's own retrieval and reading bring back.

Over papers that no model has seen, but not those whose questions measure (`eval.written`).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from eval.public.answerability_sets import clapnq
from eval.written.questions import WrittenQuestion, is_measured, is_validation, read_written
from rag.evidence.features import Candidate, Idf
from rag.index.build import ingest_papers
from rag.index.paper_index import PaperIndex, open_index
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root, open_embedder
from rag.models.engines.decoder import Reading
from rag.models.load import load_reader
from rag.models.logistic import LogisticModel
from rag.models.shared import load_reranker
from rag.ports import PaperReader
from rag.rerank.cascade import EnoughBars, one_is_enough
from rag.rerank.cross_encoder import abstract_of, ranked
from rag.rerank.paper_reading import with_readings
from rag.retrieve.retrievers import HybridRetriever
from rag.retrieve.scores import sentence_cosines
from rag.settings import Settings
from rag.types import PaperText, Passage, Ranking, Relevance
from training import examples
from training.examples import Abstract, crossed

_SIZE = 160
# How many questions are put of each kind, all types of a kind alike.
PUT = {"answerable": 520, "several": 80, "near": 240, "absent": 160, "far": 60, "crossed": 50}
READ = 6  # papers that are read whole, more than the product reads
NEAR = {"near_unanswerable", "numeric_unanswerable", "unanswerable", "absent", "none"}
_NOT_ALONE = {"none", "single", "find"}  # of multi: they hold for their group of papers alone


@dataclass(frozen=True, slots=True)
class QuestionCase:
    """A question put to collection `group`. `right`: papers that answer it, with evidence sentences."""

    question: str
    group: int
    kind: str
    type: str = ""
    right: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)  # by paper, what should be said

    @property
    def first_half(self) -> bool:
        """By its words, whichever they are."""
        return hashlib.sha256(self.question.encode()).digest()[0] % 2 == 0

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


class RememberedReader:
    """A reader whose readings are kept in a file: fits are made more than once."""

    def __init__(self, model: PaperReader, identity: str, file: Path) -> None:
        self._model, self._identity, self._file = model, identity, file
        self._known: dict[str, list[float]] = {}
        if file.is_file():
            rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
            self._known = {row["key"]: row["read"] for row in rows}

    def readings(self, conversations: Sequence[Sequence[BaseMessage]], first: Sequence[str]) -> list[Reading]:
        """See `PaperReader.readings`."""
        keys = [self._key(messages, first) for messages in conversations]
        new = [place for place, key in enumerate(keys) if key not in self._known]
        read = self._model.readings([conversations[place] for place in new], first) if new else []
        with self._file.open("a", encoding="utf-8") as file:
            for place, one in zip(new, read, strict=True):
                self._known[keys[place]] = [one.likelihood, *one.first]
                file.write(json.dumps({"key": keys[place], "read": self._known[keys[place]]}) + "\n")
        return [Reading(self._known[key][0], tuple(self._known[key][1:])) for key in keys]

    def _key(self, messages: Sequence[BaseMessage], first: Sequence[str]) -> str:
        told = "\x00".join([self._identity, *first, *(str(message.content) for message in messages)])
        return hashlib.sha256(told.encode()).hexdigest()[:24]


class Collections:
    """Papers no model has seen, dealt unit by unit into collections and indexed by the product's own code."""

    def __init__(self, data: Path, settings: Settings, kept: Path) -> None:
        self.sets = read_written(data)
        fifth = examples.held_out(data)
        units = self.sets.units
        self.unseen = {p for p in self.sets.papers if is_validation(units[p]) or p in fifth}
        self.units = sorted({units[p] for p in self.unseen if not is_measured(units[p])})
        random.Random(1).shuffle(self.units)
        self.groups = max(2, len(self.unseen) // _SIZE)
        self.group_of = {unit: place % self.groups for place, unit in enumerate(self.units)}
        papers = {p: self.group_of[units[p]] for p in sorted(self.unseen) if units[p] in self.group_of}
        self.pool = [Abstract(p, self.sets.papers[p].title, self.sets.sentences[p]) for p in papers]
        self.embedder = open_embedder(settings)
        self.encoder = QueryEncoder(self.embedder.model, kept=50_000)
        self._reranker, _ = load_reranker(settings)
        reader, identity = load_reader(settings)
        kept.parent.mkdir(parents=True, exist_ok=True)
        self.reader = None if reader is None else RememberedReader(reader, identity, kept)
        self._settings = settings
        self._indexes: list[PaperIndex] = []
        self._retrievers: list[HybridRetriever] = []
        for group in range(self.groups):
            root = collection_root(settings, f"written-{self.groups}-{group}")
            own = [self.sets.papers[p] for p in papers if papers[p] == group]
            ingest_papers(root, own, self.embedder, settings)
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

    def read(self, one: RetrievedCase, papers: LogisticModel) -> RetrievedCase:
        """The same, and what the reader makes of the first papers by the cross-encoder."""
        if self.reader is None:
            return one
        found = replace(ranked(one.passages, one.relevance, papers), texts=one.texts)
        told = with_readings(one.put.question, found, found.passages[:READ], self.reader).relevance
        return replace(one, relevance=[told[p.paper.paper_id] for p in one.passages])


def in_turn(one: RetrievedCase, papers: LogisticModel, settings: Settings) -> tuple[Ranking, bool]:
    """What the product would have read and its order before the reader's look; whether the first is sure."""
    found = ranked(one.passages, one.relevance[: settings.rerank_first_k], papers)
    sure = _sure(one, found, settings)
    if not sure:
        found = ranked(one.passages, one.relevance, papers)
        sure = _sure(one, found, settings)
    return replace(found, texts=one.texts), sure


def _sure(one: RetrievedCase, found: Ranking, settings: Settings) -> bool:
    bars = EnoughBars(settings.sure_min, settings.lead_min)
    return one_is_enough(one.put.question, one.passages, found, bars)


def questions_of(data: Path, collections: Collections, seed: int = 1) -> Iterator[QuestionCase]:
    """Answerable ones of one paper and of several, near misses, of the wrong collection, of another field."""
    rng = random.Random(seed)
    own = [one for one in collections.sets.questions if one.unit in collections.group_of]
    own = [one for one in own if collections.unseen.issuperset(one.papers)]
    kinds: dict[str, dict[str, list[WrittenQuestion]]] = defaultdict(lambda: defaultdict(list))
    for one in own:
        if one.source == "abstract_qa_multi" and one.type in _NOT_ALONE:
            continue
        kind = "several" if one.several else "answerable" if one.parts else "near"
        if kind != "near" or one.type in NEAR:
            kinds[kind][one.type].append(one)
    for kind in ("answerable", "several", "near"):
        for number, one in enumerate(_in_turn(kinds[kind], rng)):
            group = collections.group_of[one.unit]
            if number < PUT[kind]:
                yield case_of(one, group, kind)
            elif kind == "answerable" and number < PUT[kind] + PUT["absent"]:
                yield replace(case_of(one, (group + 1) % collections.groups, "absent"), right={}, told={})
    for number, asked in enumerate(clapnq(data).questions[: 4 * PUT["far"] : 4]):
        yield QuestionCase(asked.text, number % collections.groups, "far")
    joined = list(crossed(collections.pool, collections.groups))
    for question, group in rng.sample(joined, min(PUT["crossed"], len(joined))):
        yield QuestionCase(question, group, "crossed")


def case_of(one: WrittenQuestion, group: int, kind: str) -> QuestionCase:
    """A question as it stands alone, put to a collection."""
    right = {paper: part.evidence for paper, part in one.parts.items()}
    told = {paper: part.answer for paper, part in one.parts.items()}
    return QuestionCase(one.standalone or one.question, group, kind, one.type, right, told)


def _in_turn(types: dict[str, list[WrittenQuestion]], rng: random.Random) -> Iterator[WrittenQuestion]:
    """One of each type after the other, each type in random order."""
    shuffled = [rng.sample(types[name], len(types[name])) for name in sorted(types)]
    for place in range(max(map(len, shuffled), default=0)):
        yield from (own[place] for own in shuffled if place < len(own))
