"""Which paper is the question likeliest to have been asked of? A language model that read the papers says.

Query likelihood (Ponte and Croft, 1998), with a causal language model that is told to write the question
(Sachan et al., 2022, "Improving Passage Retrieval with Zero-Shot Question Generation"). A small language
model knows more ways to say a thing than a small encoder does, so oblique questions gain most. Only the first
few papers are asked about, each by its title and the sentences that the reranker finds most telling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from langchain_core.messages import BaseMessage

from rag.models.logistic import LogisticModel, logit
from rag.models.messages import filled
from rag.ports import QuestionModel
from rag.rerank.cross_encoder import abstract_of
from rag.types import PaperText, Passage, Ranking, Relevance

_SENTENCES = 3
_CHARS_MAX = 1200  # of what one paper tells; three sentences rarely take half of it


def question_messages(title: str, sentences: str) -> list[BaseMessage]:
    """The conversation after which a question is likely or not: prompts/question_*.txt, filled.

    :raises PromptError: if a prompt file is missing or its variables do not match.
    """
    return filled("question", {"title": title, "sentences": sentences})


def telling(text: PaperText, relevance: Relevance) -> str:
    """The sentences that bear most on the question, by the reranker, in the order of the abstract."""
    _, sentences = abstract_of(text)
    best = sorted(range(len(sentences)), key=lambda i: (-relevance.carries[i], i))[:_SENTENCES]
    return " ".join(sentences[i] for i in sorted(best))[:_CHARS_MAX]


def _abstract(text: PaperText) -> str:
    _, sentences = abstract_of(text)
    return " ".join(sentences)


def with_likelihoods(
    question: str, found: Ranking, model: QuestionModel, count: int, *, whole: bool = False
) -> Ranking:
    """The same papers; the first `count` of them with how much likelier each makes the question, in nats.

    `whole`: told by the whole abstract, which is the same for every question, and so can be read ahead.
    """
    asked = found.passages[:count]
    told = []
    for passage in asked:
        paper_id = passage.paper.paper_id
        text = found.texts[paper_id]
        told.append((text.title, _abstract(text) if whole else telling(text, found.relevance[paper_id])))
    *given, alone = model.likelihoods([question_messages(*one) for one in [*told, ("", "")]], question)
    gains = {p.paper.paper_id: one - alone for p, one in zip(asked, given, strict=True)}
    relevance = {key: replace(own, likelihood=gains.get(key)) for key, own in found.relevance.items()}
    return replace(found, relevance=relevance)


def likelihood_features(passage: Passage, gain: float, best_gain: float) -> dict[str, float]:
    """What the new place of a paper is made of; `best_gain` is the largest among those asked about."""
    return {"logit": logit(passage.score), "gain": gain / 10.0, "gap": (gain - best_gain) / 10.0}


def by_likelihood(found: Ranking, model: LogisticModel) -> Ranking:
    """Papers asked about in the order of their new probability, which becomes their score; then the others.

    None of the others scores above the last of those asked about. Ties by paper id.
    """
    gains = gains_of(found)
    if not gains:
        return found
    best = max(gains.values())
    asked = [
        (model.probability(likelihood_features(p, gains[p.paper.paper_id], best)), p)
        for p in found.passages
        if p.paper.paper_id in gains
    ]
    asked.sort(key=lambda row: (-row[0], row[1].paper.paper_id))
    lowest = asked[-1][0]
    others = [(min(p.score, lowest), p) for p in found.passages if p.paper.paper_id not in gains]
    ordered = enumerate([*asked, *others], start=1)
    return replace(found, passages=tuple(replace(p, rank=rank, score=score) for rank, (score, p) in ordered))


def gains_of(found: Ranking) -> dict[str, float]:
    """By paper id, of the papers asked about: by how many nats each makes the question likelier."""
    return {key: own.likelihood for key, own in found.relevance.items() if own.likelihood is not None}


@dataclass(frozen=True, slots=True)
class QuestionLikelihood:
    """A second look at the first `top_k` papers. `whole`: see `with_likelihoods`."""

    model: QuestionModel
    weights: LogisticModel
    top_k: int
    whole: bool
    asks = True

    def __call__(self, question: str, ranking: Ranking) -> Ranking:
        """The papers in the order of how likely each makes the question, with what was known before."""
        told = with_likelihoods(question, ranking, self.model, self.top_k, whole=self.whole)
        return by_likelihood(told, self.weights)


@dataclass(frozen=True, slots=True)
class NoSecondLook:
    """No language model is asked: the order stays as it is."""

    asks = False

    def __call__(self, question: str, ranking: Ranking) -> Ranking:
        """The same ranking."""
        return ranking
