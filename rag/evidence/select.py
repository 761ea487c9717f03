"""Which papers are told, with all their sentences; and how likely they answer at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evidence.answerability import answer_features, confidence
from rag.evidence.contributing import PAPERS_MAX, Contributing
from rag.evidence.features import Idf, Scored, candidates_of, score
from rag.models.logistic import LogisticModel
from rag.types import (
    OF_SEVERAL_PAPERS,
    AskedQuestion,
    Evidence,
    Kind,
    Paper,
    PaperText,
    Passage,
    Ranking,
    SelectedEvidence,
)

# Where no reader says which papers answer, several means two, and those nearly as probable as the first.
_COLLECTED, _COLLECTED_RELATIVE_MIN = 2, 0.25


def collected_papers(passages: Sequence[Passage]) -> list[str]:
    """Ids of the first two papers, and of those at least a quarter as probable as the first."""
    least = _COLLECTED_RELATIVE_MIN * max((p.score for p in passages), default=0.0)
    return [p.paper.paper_id for place, p in enumerate(passages) if place < _COLLECTED or p.score >= least][
        :PAPERS_MAX
    ]


def kind_of_papers(asked: Kind, count: int) -> Kind:
    """The kind after a look at the papers: how many answer decides, the words only which kind of those."""
    if count > 1:
        return "compare" if asked == "compare" else "collect"
    return "find" if asked == "find" else "fact"


def select(scored: Sequence[Scored], papers: Sequence[str]) -> list[Evidence]:
    """All sentences of these papers, best first, keyed [1].. in the order of the papers."""
    keys = {paper_id: key for key, paper_id in enumerate(papers, start=1)}
    return [
        Evidence(
            keys[item.candidate.passage.paper.paper_id],
            item.candidate.passage.paper,
            item.candidate.start,
            item.candidate.end,
            item.probability,
        )
        for item in scored
        if item.candidate.passage.paper.paper_id in keys
    ]


@dataclass(frozen=True, slots=True)
class EvidenceSelection:
    """The stage: sentences of the papers read, scored and chosen, and whether they are enough.

    :param sentence_cosines: of a question with each sentence of papers, a row a paper, in sentence order.
    """

    sentence_cosines: Callable[[str, Sequence[Paper], Sequence[PaperText]], Sequence[NDArray[np.float32]]]
    idf: Idf
    sentence_weights: LogisticModel
    answerable_weights: LogisticModel
    contributing: Contributing

    def __call__(self, asked: AskedQuestion, ranking: Ranking) -> SelectedEvidence:
        """Evidence for a question; without a sentence to choose from, none and probability 0."""
        passages = ranking.read_passages
        papers = [passage.paper for passage in passages]
        texts = [ranking.texts[paper.paper_id] for paper in papers]
        cosines = self.sentence_cosines(asked.text, papers, texts)
        candidates = candidates_of(passages, cosines, ranking.texts, ranking.relevance)
        if not candidates:
            return SelectedEvidence(asked.kind, (), 0.0)
        scored = score(asked.text, candidates, self.sentence_weights, self.idf)
        features = answer_features(asked.text, ranking.passages, scored, self.idf)
        answerable = confidence(features, self.answerable_weights)
        told = self._papers(asked, ranking, scored)
        kind = kind_of_papers(asked.kind, len(told))
        return SelectedEvidence(kind, tuple(select(scored, told)), answerable)

    def _papers(self, asked: AskedQuestion, ranking: Ranking, scored: Sequence[Scored]) -> list[str]:
        """Which papers are told: by what the reader makes of them, else by the kind of the question."""
        read = {key: own for key, own in ranking.relevance.items() if own.telling is not None and own.carries}
        if read:
            return self.contributing(asked.text, ranking.passages, read)
        if asked.kind in OF_SEVERAL_PAPERS:
            return collected_papers(ranking.read_passages)
        return [scored[0].candidate.passage.paper.paper_id]
