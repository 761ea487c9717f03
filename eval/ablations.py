"""The assistant with one thing taken away, by settings or drop-in parts only: the pipeline knows of none.

Scores of the other retrievers are on other scales, and the confidence was fitted on hybrid ones; so the
retrieval ablations never abstain. Compare their papers, evidence and correctness with `never_abstain`.
Taken away is support by the verifier, not the hard checks on numbers, names and negation: those cannot be
switched off, by design.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from langchain_core.embeddings import Embeddings

from rag.assistant import Assistant, Parts, assemble
from rag.fusion import reciprocal_rank_fusion
from rag.indexing import Embedder, Progress
from rag.models.encoder import QueryEncoder
from rag.retriever import DenseRetriever, HybridRetriever, LexicalRetriever, PaperRetriever
from rag.settings import Settings

FULL = "full"


@dataclass(frozen=True, slots=True)
class Opening:
    """What an assistant is opened with: a collection or papers, settings, whom to tell of progress."""

    settings: Settings
    embedder: Embedder
    papers: str | Path | None = None
    collection: str = "default"
    progress: Progress | None = None

    def changed(self, **settings: object) -> Opening:
        """The same with other settings."""
        values = self.settings.model_dump(exclude_unset=True) | settings
        return replace(self, settings=Settings.load(**values))

    def open(self) -> Assistant:
        """The assistant as it is."""
        return Assistant.open(
            papers=self.papers,
            collection=self.collection,
            settings=self.settings,
            progress=self.progress,
            parts=Parts(embedder=self.embedder),
        )


class Remembering(Embeddings):
    """Vectors are made once: the pipeline's encoder and that of a drop-in retriever ask for the same."""

    def __init__(self, model: Embeddings) -> None:
        self._model = model
        self._known: dict[str, list[float]] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `Embeddings`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._model.embed_documents(new), strict=True))
        return [self._known[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """See `Embeddings`."""
        return self.embed_documents([text])[0]


class FusedRetriever(PaperRetriever):
    """Dense and lexical ranks fused, not ordered again by their scores."""

    encoder: QueryEncoder

    def rank(self, question: str) -> list[tuple[str, float]]:
        """See `PaperRetriever.rank`."""
        sides = (
            DenseRetriever(index=self.index, settings=self.settings, encoder=self.encoder),
            LexicalRetriever(index=self.index, settings=self.settings),
        )
        ranks = [[paper_id for paper_id, _ in side.rank(question)] for side in sides]
        return reciprocal_rank_fusion(ranks, k0=self.settings.rrf_k0)


Retrieving = Callable[[Assistant, QueryEncoder, Settings], PaperRetriever]


@dataclass(frozen=True, slots=True)
class Ablation:
    """What differs from the whole: settings, and the retriever when it is another one."""

    settings: Mapping[str, object] = field(default_factory=dict)
    retrieving: Retrieving | None = None

    def open(self, opening: Opening) -> Assistant:
        """The assistant of an opening already `changed` to these settings."""
        full = opening.open()
        if self.retrieving is None:
            return full
        embedder = replace(opening.embedder, model=Remembering(opening.embedder.model))
        retriever = self.retrieving(full, QueryEncoder(embedder.model), opening.settings)
        return assemble(full.index, embedder, opening.settings, Parts(retriever=retriever))


def _dense(full: Assistant, encoder: QueryEncoder, settings: Settings) -> PaperRetriever:
    return DenseRetriever(index=full.index, settings=settings, encoder=encoder)


def _lexical(full: Assistant, _: QueryEncoder, settings: Settings) -> PaperRetriever:
    return LexicalRetriever(index=full.index, settings=settings)


def _without_sentences(full: Assistant, encoder: QueryEncoder, settings: Settings) -> PaperRetriever:
    """Sentence vectors still help a paper into the pool of fifty; its place there they no longer decide."""
    index = copy.copy(full.index)
    index.manifest = replace(index.manifest, views=("abstract",))
    return HybridRetriever(index=index, settings=settings, encoder=encoder)


def _fused(full: Assistant, encoder: QueryEncoder, settings: Settings) -> PaperRetriever:
    return FusedRetriever(index=full.index, settings=settings, encoder=encoder)


_NEVER_ABSTAIN = {"answerable_min": 0.0}
ABLATIONS: Mapping[str, Ablation] = {
    FULL: Ablation(),
    "quotes_only": Ablation({"generator": "none"}),
    "no_support": Ablation({"support_min": 0.0}),
    "never_abstain": Ablation(_NEVER_ABSTAIN),
    "dense_only": Ablation(_NEVER_ABSTAIN, _dense),
    "lexical_only": Ablation(_NEVER_ABSTAIN, _lexical),
    "no_sentence_view": Ablation(_NEVER_ABSTAIN, _without_sentences),
    "fused_only": Ablation(_NEVER_ABSTAIN, _fused),
}
