"""Which papers are told, by the kind of the question and the scores of their sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evidence.answerability import answer_features, confidence
from rag.evidence.features import Idf, Scored, candidates_of, score
from rag.models.logistic import LogisticModel
from rag.text.names import names_in
from rag.text.terms import term_set
from rag.types import AskedQuestion, Evidence, Kind, Paper, PaperText, Passage, Ranking, SelectedEvidence

# 'Which papers' means several: two, and those nearly as probable (chosen on written questions: eval/LOG.md).
_COLLECTED, _COLLECTED_RELATIVE_MIN = 2, 0.25
_PAPERS: dict[Kind, int] = {"fact": 1, "find": 1, "compare": 4, "collect": 4}


def named_papers(names: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    """Ids of papers that one of the names singles out among the passages, in the order of the names."""
    found: dict[str, None] = {}
    for name in names:
        wanted = term_set(name)
        holders = [
            p.paper.paper_id
            for p in passages
            if wanted and wanted <= term_set(f"{p.paper.title} {p.paper.abstract}")
        ]
        if len(holders) == 1:
            found[holders[0]] = None
    return list(found)


def kind_with_papers(
    question: str, kind: Kind, passages: Sequence[Passage], scored: Sequence[Scored]
) -> tuple[Kind, list[Scored]]:
    """The kind after a look at the papers: names of two papers make a comparison, and keep to them.

    A 'comparison' that names things of one paper only asks for a fact of that paper. A collection keeps to
    the papers worth collecting.
    """
    names = names_in(question)
    if kind in {"fact", "compare"} and len(names) >= 2:
        only = set(named_papers(names, passages))
        if len(only) >= 2:
            return "compare", [s for s in scored if s.candidate.passage.paper.paper_id in only]
    if kind == "compare" and names:
        return "fact", list(scored)
    if kind == "collect":
        only = collected_papers(passages)
        return kind, [s for s in scored if s.candidate.passage.paper.paper_id in only]
    return kind, list(scored)


def collected_papers(passages: Sequence[Passage]) -> set[str]:
    """Ids of the first two papers, and of those at least a quarter as probable as the first."""
    least = _COLLECTED_RELATIVE_MIN * max((p.score for p in passages), default=0.0)
    return {p.paper.paper_id for place, p in enumerate(passages) if place < _COLLECTED or p.score >= least}


def select(scored: Sequence[Scored], kind: Kind) -> list[Evidence]:
    """All sentences of the papers that are told, best first, keyed [1].. by paper in order of its best one.

    `fact` and `find` are told from the paper of the best sentence, the others from up to four papers.
    """
    papers = list(dict.fromkeys(item.candidate.passage.paper.paper_id for item in scored))
    keys = {paper_id: key for key, paper_id in enumerate(papers[: _PAPERS[kind]], start=1)}
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
        kind, wanted = kind_with_papers(asked.text, asked.kind, ranking.passages, scored)
        return SelectedEvidence(kind, tuple(select(wanted, kind)), answerable)
