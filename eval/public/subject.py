"""All that the public sets ask of the product: an assistant over given papers, its ports, its rankings.

A part that takes another's place behind the same port (a verifier, a retriever) is measured without a
change here. A new way to rank papers is one more entry of `rankings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from eval.ask.ablations import ABLATIONS, CachedEmbeddings
from eval.public.support import Scorer
from rag.assistant import Assistant
from rag.index.build import SENTENCE_VIEW_PAPERS_MAX, ingest_papers
from rag.index.embedding import Embedder
from rag.index.manifest import content_digest
from rag.index.paper_index import PaperIndex, open_index
from rag.index.query_encoder import QueryEncoder
from rag.ingest import collection_root
from rag.models.logistic import load_logistic
from rag.pipeline.assemble import Parts
from rag.pipeline.conclude import outcome_of
from rag.ports import Progress
from rag.rerank.cascade import RetrievedOrder
from rag.retrieve.retrievers import HybridRetriever, PaperRetriever
from rag.settings import Settings
from rag.types import Paper, PreparedQuestion, Question
from rag.verify.support import LexicalVerifier, containment

CONTAINMENT, COSINE = "baseline: words contained", "baseline: cosine"
UNTRAINED = "baseline: words and cosine (untrained verifier)"
Rank = Callable[[str], list[str]]
HYBRID = "hybrid"
SHIPPED = "hybrid, reranked (shipped)"
_EMBED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Subject:
    """The product under these settings, without its generator; whom to tell of progress."""

    settings: Settings
    embedder: Embedder
    progress: Progress

    def over(self, papers: Sequence[Paper], name: str) -> Assistant:
        """The assistant over these papers; their index is made once and kept in the cache.

        Sentence vectors are made for any number of papers, so that what they bring can be measured: an index
        keeps the views it began with.
        """
        digest = content_digest(papers, self.embedder.checksum, ())
        root = collection_root(self.settings, f"public-{name}-{digest[:12]}")
        told = partial(_told, self.progress, name)
        for count in sorted({min(len(papers), SENTENCE_VIEW_PAPERS_MAX), len(papers)}):
            ingest_papers(root, papers[:count], self.embedder, self.settings, progress=told)
        # Only questions and claims are remembered, not the corpus: a vector takes 12 kB as a list.
        embedder = replace(self.embedder, model=CachedEmbeddings(self.embedder.model))
        quoting = Settings.load(**self.settings.model_dump(exclude_unset=True) | {"generator": "none"})
        return Assistant.over(open_index(root), embedder, quoting, Parts())


def _told(progress: Progress, name: str, stage: str, done: int, total: int) -> None:
    progress(f"{name}: {stage}", done, total)


def prefetch(assistant: Assistant, texts: Sequence[str], told: Callable[[int], None]) -> None:
    """Embed questions many at a time; the assistant's embedder remembers them."""
    for start in range(0, len(texts), _EMBED_AT_ONCE):
        assistant.pipeline.stages.retrieve.prefetch(texts[start : start + _EMBED_AT_ONCE])
        told(min(start + _EMBED_AT_ONCE, len(texts)))


def rankings(assistant: Assistant) -> Mapping[str, Rank]:
    """Name -> the ids of the papers for a question, best first: from the plainest to what ships, last.

    Without a reranker the last one is `HYBRID` under the name `SHIPPED`.
    """
    retriever = assistant.retriever
    made = {"BM25": "lexical_only", "dense": "dense_only", "fused by rank": "fused_only"}
    if has_sentences(assistant.index):
        made["hybrid, no sentence vectors"] = "no_sentence_view"
    found = {name: _ablated(ablation, assistant) for name, ablation in made.items()}
    ranks: dict[str, Rank] = {name: partial(_ids, own) for name, own in (found | {HYBRID: retriever}).items()}
    reranks = not isinstance(assistant.pipeline.stages.rerank, RetrievedOrder)
    ranks[SHIPPED] = partial(_reranked, assistant) if reranks else ranks.pop(HYBRID)
    return ranks


def has_sentences(index: PaperIndex) -> bool:
    """Whether the index holds sentence vectors."""
    return "sentence" in index.manifest.views


def _ablated(name: str, assistant: Assistant) -> PaperRetriever:
    retrieving = ABLATIONS[name].retrieving
    assert retrieving is not None
    return retrieving(assistant, _encoder(assistant), assistant.retriever.settings)


def _encoder(assistant: Assistant) -> QueryEncoder:
    """The encoder of the retriever that ships, which remembers what it embedded."""
    assert isinstance(assistant.retriever, HybridRetriever)
    return assistant.retriever.encoder


def _ids(retriever: PaperRetriever, question: str) -> list[str]:
    return [paper_id for paper_id, _ in retriever.rank(question)]


def _reranked(assistant: Assistant, question: str) -> list[str]:
    """What `Assistant.search` puts first, then what it did not read, as retrieval ordered it."""
    retriever = assistant.retriever
    first = [p.paper.paper_id for p in assistant.search(question, k=retriever.settings.rerank_top_k)]
    return first + [found for found in _ids(retriever, question) if found not in set(first)]


class UndraftedDecision:
    """Preparation, and after it the decision of an answer that no reader drafted."""

    def __init__(self, assistant: Assistant) -> None:
        self._pipeline = assistant.pipeline

    def one(self, question: Question) -> PreparedQuestion:
        """The question prepared; its confidence is the one the product would decide by."""
        prepared = self._pipeline.preparation.one(question)
        if prepared.abstention is not None:
            return prepared
        sure = self._pipeline.stages.conclude.confidence.probability(
            prepared.confidence, outcome_of(prepared, ())
        )
        return replace(prepared, confidence=sure)


def baselines(assistant: Assistant) -> dict[str, Scorer]:
    """What a trained verifier has to beat: words, the cosine, and both as they are weighed without it."""
    untrained = LexicalVerifier(_encoder(assistant), load_logistic("support"))
    return {
        CONTAINMENT: lambda claims: [containment(*claim) for claim in claims],
        COSINE: partial(_cosines, assistant),
        UNTRAINED: untrained.support,
    }


def _cosines(assistant: Assistant, claims: Sequence[tuple[str, str]]) -> list[float]:
    """Cosine of each sentence with its evidence, by the assistant's embedder."""
    texts = list(dict.fromkeys(text for claim in claims for text in claim))
    rows = dict(zip(texts, _encoder(assistant).passages(texts), strict=True))
    return [float(rows[sentence] @ rows[evidence]) for sentence, evidence in claims]
