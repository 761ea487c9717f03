"""Puts the concrete parts together. The only file that names them, and what identifies them."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever

import prompts
from rag.errors import ModelMissing
from rag.evidence.answerability import AnswerConfidence
from rag.evidence.contributing import Contributing
from rag.evidence.select import EvidenceSelection
from rag.generate.drafts import Drafting, Quoting
from rag.generate.rewrite import Rewriting
from rag.index.embedding import Embedder
from rag.index.paper_index import PaperIndex
from rag.index.query_encoder import QueryEncoder
from rag.models.engines.choose import preferred_engine
from rag.models.load import SharedReader, load_generator, load_reader, preload_generator, preload_reader
from rag.models.logistic import load_logistic
from rag.models.shared import load_entailment, load_reranker, preload_cross
from rag.models.weights import NONE, resolve
from rag.pipeline.answer_cache import AnswerMemory
from rag.pipeline.conclude import Conclusion
from rag.pipeline.pipeline import Pipeline
from rag.pipeline.prepare import Preparation
from rag.pipeline.stages import Stages
from rag.ports import Verifier
from rag.query.condense import Condenser
from rag.query.spelling import Spelling, dictionary_of
from rag.rerank.cascade import EnoughBars, RerankCascade, RetrievedOrder
from rag.rerank.cross_encoder import CrossEncoder
from rag.rerank.paper_reading import NoSecondLook, PaperReading
from rag.retrieve.retrievers import HybridRetriever
from rag.retrieve.scores import sentence_cosines
from rag.retrieve.stage import Retrieval
from rag.settings import Settings
from rag.verify.grounding import Verification
from rag.verify.support import LexicalVerifier, TrainedVerifier

_DATA = Path(__file__).parent.parent / "data"


class Parts:
    """Drop-in parts; None means the default of the settings.

    `generator_id` names a generator that `load_generator` made and several assistants share, so that
    their fingerprints are those of the settings.
    """

    def __init__(
        self,
        *,
        embedder: Embedder | None = None,
        generator: BaseChatModel | None = None,
        retriever: BaseRetriever | None = None,
        verifier: Verifier | None = None,
        generator_id: str | None = None,
    ) -> None:
        self.embedder = embedder
        self.generator = generator
        self.retriever = retriever
        self.verifier = verifier
        self.generator_id = generator_id


def named_embedder(model: Embeddings, name: str) -> Embedder:
    """Any LangChain `Embeddings` as a part; `name` tells its vectors from those of other models."""
    return Embedder(model, name, hashlib.sha256(name.encode()).hexdigest())


def assemble(
    index: PaperIndex, embedder: Embedder, settings: Settings, parts: Parts
) -> tuple[Pipeline, HybridRetriever]:
    """The pipeline over an open index, and its retriever."""
    encoder = QueryEncoder(embedder.model)
    retriever = HybridRetriever(index=index, settings=settings, encoder=encoder)
    reader, reader_id = load_reader(settings)
    rerank, reranker_id = _rerank(settings, reader)
    generate, generator_id = _generate(settings, parts)
    verifier, verifier_id = _verifier(encoder, settings, parts)
    rewrite = None if reader is None else Rewriting(reader)
    stages = Stages(
        condense=Condenser(_spelling(index, settings), settings.question_chars_max, rewrite),
        retrieve=Retrieval(parts.retriever or retriever, encoder.queries, index.texts),
        rerank=rerank,
        select=EvidenceSelection(
            sentence_cosines=partial(sentence_cosines, index, encoder),
            idf=index.lexical.idf,
            sentence_weights=load_logistic(rerank.evidence_weights),
            answerable_weights=load_logistic(rerank.confidence_weights),
            contributing=Contributing(load_logistic("contributing"), settings.contributing_min),
        ),
        generate=generate,
        verify=Verification(verifier, settings.support_min, reader if generate.writes else None),
        conclude=Conclusion(
            AnswerConfidence(load_logistic("final"), load_logistic("final_unread")),
            confident_min=settings.confident_min,
            quote_relative_min=settings.quote_relative_min,
            quote_sentences_max=settings.quote_sentences_max,
        ),
    )
    identity = [settings.fingerprint(), prompts.fingerprint(), data_fingerprint()]
    identity += [embedder.checksum, generator_id, reranker_id, reader_id, verifier_id, index.fingerprint]
    identity += [preferred_engine(settings), _kind(parts.retriever)]
    fingerprint = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
    # a drop-in retriever may find something else tomorrow, under the same fingerprint
    memory = AnswerMemory(0 if parts.retriever else settings.answer_cache)
    preparation = Preparation(stages, len(index), settings.passages_top_k, settings.answerable_min)
    return Pipeline(preparation, fingerprint, memory), retriever


def _rerank(settings: Settings, reader: SharedReader | None) -> tuple[RerankCascade | RetrievedOrder, str]:
    """The reranker of the settings with its second look; and what identifies it."""
    reranker, reranker_id = load_reranker(settings)
    if reranker is None:
        return RetrievedOrder(), reranker_id
    second_look: PaperReading | NoSecondLook = NoSecondLook()
    if reader is not None:
        second_look = PaperReading(reader, load_logistic("reading"), settings.read_top_k)
    cascade = RerankCascade(
        CrossEncoder(reranker, load_logistic("papers")),
        second_look,
        top_k=settings.rerank_top_k,
        first_k=settings.rerank_first_k,
        bars=EnoughBars(settings.sure_min, settings.lead_min),
    )
    return cascade, reranker_id


def _generate(settings: Settings, parts: Parts) -> tuple[Drafting | Quoting, str]:
    """Who drafts, and what identifies it."""
    model, identity = (
        (parts.generator, parts.generator_id or _identity(parts.generator))
        if parts.generator
        else load_generator(settings)
    )
    if model is None or settings.strict:
        return Quoting(), identity
    return Drafting(model), identity


def preload_models(settings: Settings, parts: Parts) -> None:
    """Begin to load what will be asked: without drafts, neither the generator nor who checks them."""
    if parts.generator is None:
        preload_generator(settings)
    drafting = not settings.strict and (parts.generator is not None or settings.generator != NONE)
    if settings.reranker != NONE:  # the reader is asked about what was read
        preload_reader(settings)
    preload_cross(settings, judging=drafting and parts.verifier is None)


def _spelling(index: PaperIndex, settings: Settings) -> Spelling:
    """Mends by the words the embedder knows whole; not where the embedder is no BERT, or not here."""
    try:
        words = dictionary_of(resolve(settings.embedding_model, settings).path)
    except ModelMissing:
        words = frozenset()
    return Spelling(words, index.lexical.holds, index.lexical.idf)


def _verifier(encoder: QueryEncoder, settings: Settings, parts: Parts) -> tuple[Verifier, str]:
    """A drop-in verifier, else the trained one, else the lexical one; and what identifies it."""
    if parts.verifier:
        return parts.verifier, _kind(parts.verifier)
    lexical = LexicalVerifier(encoder, load_logistic("support"))
    judge, checksum = load_entailment(settings)
    if judge is None:
        return lexical, checksum
    return TrainedVerifier(judge, lexical, load_logistic("support_trained")), checksum


def _identity(model: BaseChatModel) -> str:
    """What tells one drop-in chat model from another: its kind and its public parameters."""
    return f"{_kind(model)} {model._llm_type} {sorted(model._identifying_params.items(), key=str)}"


def _kind(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


def data_fingerprint() -> str:
    """First 16 hex digits of sha256 over every fitted file that ships."""
    digest = hashlib.sha256()
    for path in sorted(_DATA.glob("*.json")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
