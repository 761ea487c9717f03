"""The assistant with one thing taken away, by settings or drop-in parts only: the pipeline knows of none.

Scores of the other retrievers are on other scales, and the confidence was fitted on hybrid ones; so the
retrieval ablations never abstain. Compare their papers, evidence and correctness with `hybrid`, which is
not read again either.
Taken away is support by the verifier, not the hard checks on numbers, names and negation: those cannot be
switched off, by design.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from langchain_core.embeddings import Embeddings

from rag.assistant import DEFAULT_COLLECTION, Assistant
from rag.errors import SettingsError
from rag.index.embedding import Embedder
from rag.index.query_encoder import QueryEncoder
from rag.ingest import corpus_files, open_embedder
from rag.models.catalogue import QWEN, SMALL_READER
from rag.pipeline.assemble import Parts
from rag.ports import Progress
from rag.retrieve.fusion import reciprocal_rank_fusion
from rag.retrieve.retrievers import DenseRetriever, HybridRetriever, LexicalRetriever, PaperRetriever
from rag.settings import Settings

FULL = "full"


@dataclass(frozen=True, slots=True)
class SystemSource:
    """What an assistant is opened with: a collection or papers, settings, whom to tell of progress."""

    settings: Settings
    embedder: Embedder
    papers: str | Path | None = None
    collection: str = "default"
    progress: Progress | None = None

    def changed(self, **settings: object) -> SystemSource:
        """The same with other settings."""
        known = Settings.load(**self.settings.model_dump(exclude_unset=True) | settings)
        if known.embedding_model == self.settings.embedding_model:
            return replace(self, settings=known)
        return replace(self, settings=known, embedder=open_embedder(known), papers=self._readable())

    def _readable(self) -> str | Path:
        """The papers as files: another embedder needs an index of its own.

        :raises SettingsError: for a named collection, whose files are not known.
        """
        if self.papers is None and self.collection != DEFAULT_COLLECTION:
            raise SettingsError(
                f"collection {self.collection!r} cannot be searched with another embedder",
                hint="Give the papers themselves: --papers FILE.",
            )
        return self.papers or corpus_files()[0].parent

    def open(self) -> Assistant:
        """The assistant as it is."""
        return Assistant.open(
            papers=self.papers,
            collection=self.collection,
            settings=self.settings,
            progress=self.progress,
            parts=Parts(embedder=self.embedder),
        )


class CachedEmbeddings(Embeddings):
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

    def open(self, opening: SystemSource) -> Assistant:
        """The assistant of an opening already `changed` to these settings."""
        full = opening.open()
        if self.retrieving is None:
            return full
        embedder = replace(opening.embedder, model=CachedEmbeddings(opening.embedder.model))
        retriever = self.retrieving(full, QueryEncoder(embedder.model), opening.settings)
        return Assistant.over(full.index, embedder, opening.settings, Parts(retriever=retriever))


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


_NEVER_ABSTAIN = {"answerable_min": 0.0, "confident_min": 0.0}
_UNREAD = {**_NEVER_ABSTAIN, "reranker": "none"}
_STOCK_MODELS = {
    "embedding_model": "all-MiniLM-L6-v2",
    "reranker": "none",
    "verifier": "none",
    "reader": "none",
    "generator": "smollm2-135m-instruct",
}
ABLATIONS: Mapping[str, Ablation] = {
    FULL: Ablation(),
    "torch": Ablation({"engine": "torch"}),
    "quotes_only": Ablation({"generator": "none"}),
    "untrained": Ablation(_STOCK_MODELS),
    "untrained_embedder": Ablation({"embedding_model": "all-MiniLM-L6-v2"}),
    "no_reranker": Ablation({"reranker": "none"}),
    "no_reader": Ablation({"reader": "none"}),
    "untrained_verifier": Ablation({"verifier": "none"}),
    "untrained_reader": Ablation({"generator": QWEN.name}),
    "small_reader": Ablation({"reader": "none", "generator": SMALL_READER}),
    "read_one": Ablation({"read_top_k": 1}),
    "told_from_one": Ablation({"contributing_min": 1.0}),
    "no_support": Ablation({"support_min": 0.0}),
    "never_abstain": Ablation(_NEVER_ABSTAIN),
    "hybrid": Ablation(_UNREAD),
    "dense_only": Ablation(_UNREAD, _dense),
    "lexical_only": Ablation(_UNREAD, _lexical),
    "no_sentence_view": Ablation(_UNREAD, _without_sentences),
    "fused_only": Ablation(_UNREAD, _fused),
}
