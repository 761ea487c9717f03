"""Which of the scored sentences are told: by kind of question, paper and budget."""

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

# One paper rarely needs more than three sentences; several papers get two each.
_PER_PAPER: dict[Kind, int] = {"fact": 5, "find": 3, "compare": 2, "collect": 2}
# Another paper joins only when its best sentence is at least this likely, relative to the best of all;
# a comparison needs every paper it names, and what is collected was chosen by its papers.
_RELATIVE_MIN: dict[Kind, float] = {"fact": 0.25, "find": 0.25, "compare": 0.0, "collect": 0.0}
# 'Which papers' means several: two, and those nearly as probable (chosen on written questions: eval/LOG.md).
_COLLECTED, _COLLECTED_RELATIVE_MIN = 2, 0.25
_PAPERS: dict[Kind, int] = {"fact": 3, "find": 1, "compare": 3, "collect": 4}


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


def select(
    scored: Sequence[Scored],
    kind: Kind,
    *,
    sentences_max: int,
    tokens_max: int,
    count_tokens: Callable[[str], int],
) -> list[Evidence]:
    """The best sentences within the budget, keyed [1].. by paper in order of its best sentence.

    `fact` and `find` draw on few papers; `compare` and `collect` on several with two sentences each.
    The best sentence is always taken, even alone over the budget.
    """
    papers_max = _PAPERS[kind]
    limit = sentences_max if kind in {"fact", "find"} else 2 * papers_max
    keys: dict[str, int] = {}
    taken: dict[str, int] = {}
    chosen: list[Evidence] = []
    tokens = 0
    for item in scored:
        candidate = item.candidate
        paper = candidate.passage.paper
        new_paper = paper.paper_id not in keys
        if new_paper and item.probability < _RELATIVE_MIN[kind] * scored[0].probability:
            continue
        if (new_paper and len(keys) >= papers_max) or len(chosen) >= limit:
            continue
        if taken.get(paper.paper_id, 0) >= _PER_PAPER[kind]:
            continue
        cost = count_tokens(candidate.text) + (count_tokens(paper.title) if new_paper else 0)
        if chosen and tokens + cost > tokens_max:
            continue
        tokens += cost
        key = keys.setdefault(paper.paper_id, len(keys) + 1)
        taken[paper.paper_id] = taken.get(paper.paper_id, 0) + 1
        chosen.append(Evidence(key, paper, candidate.start, candidate.end, item.probability))
    return chosen


@dataclass(frozen=True, slots=True)
class EvidenceSelection:
    """The stage: sentences of the papers read, scored and chosen, and whether they are enough.

    :param sentence_cosines: of a question with each sentence of papers, a row a paper, in sentence order.
    """

    sentence_cosines: Callable[[str, Sequence[Paper], Sequence[PaperText]], Sequence[NDArray[np.float32]]]
    idf: Idf
    sentence_weights: LogisticModel
    answerable_weights: LogisticModel
    sentences_max: int
    tokens_max: int
    count_tokens: Callable[[str], int]

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
        chosen = select(
            wanted,
            kind,
            sentences_max=self.sentences_max,
            tokens_max=self.tokens_max,
            count_tokens=self.count_tokens,
        )
        return SelectedEvidence(kind, tuple(chosen), answerable)
