"""The public class. The only file that puts concrete parts together.

from rag import Assistant
answer = Assistant.open().ask("How much faster is Monarch Mixer at sequence length 4K?")
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda

import prompts
from rag.confidence import FinalModel
from rag.data import corpus_files, data_fingerprint
from rag.errors import CitewiseError, IndexMismatch, IndexMissing, ModelMissing
from rag.index import PaperIndex, content_digest, open_index
from rag.indexing import Embedder, Progress, ingest_papers
from rag.ingest import collection_root, open_embedder, read_collection
from rag.logistic import load_logistic
from rag.memory import AnswerMemory
from rag.models.chat import load_generator, load_question_model, preload_generator, preload_question_model
from rag.models.cross import load_judge, load_reranker, preload_cross
from rag.models.encoder import QueryEncoder
from rag.models.engine import preferred_engine
from rag.models.resolve import NONE, resolve
from rag.pipeline import Pipeline, asks_reader
from rag.preparation import Ports
from rag.retriever import HybridRetriever, PaperRetriever, sentence_cosines
from rag.settings import Settings
from rag.spelling import Spelling, dictionary_of
from rag.types import Answer, Event, Failure, Paper, Passage, Question, Turn
from rag.verifier import LexicalVerifier, TrainedVerifier, Verifier

History = Sequence[Turn | tuple[str, str]]
DEFAULT_COLLECTION = "default"
_CHARS_PER_TOKEN = 4


class Assistant:
    """Answers questions over one collection of papers. Make one with `open`; it may be shared by threads."""

    def __init__(self, index: PaperIndex, pipeline: Pipeline, retriever: PaperRetriever) -> None:
        self.index = index
        self.retriever = retriever
        self._pipeline = pipeline
        self._batch_size = retriever.settings.generation_batch_size

    @classmethod
    def open(
        cls,
        *,
        papers: str | Path | None = None,
        collection: str = DEFAULT_COLLECTION,
        settings: Settings | None = None,
        progress: Progress | None = None,
        parts: Parts | None = None,
        preload: bool = False,
    ) -> Assistant:
        """Open a collection; the default one, or that of `papers` (a file or folder), is built on first use.

        :param parts: drop-in LangChain embeddings, chat model or retriever, or another verifier.
        :param preload: load the models now, beside the rest, instead of when they are first asked.
        :raises ReadError: if `papers` cannot be read.
        :raises IndexMissing: if a named collection does not exist.
        :raises ModelMissing: if a model is not on this machine.
        """
        settings = settings or Settings.load()
        parts = parts or Parts()
        if preload:
            _preload(settings, parts)
        embedder = parts.embedder or open_embedder(settings)
        index = _open_collection(papers, collection, embedder, settings, progress)
        return assemble(index, embedder, settings, parts)

    @property
    def fingerprint(self) -> str:
        """Hash of settings, prompts, models and index: equal fingerprints, equal answers."""
        return self._pipeline.fingerprint

    @property
    def ports(self) -> Ports:
        """The parts behind the answers: retriever, verifier, generator, weights."""
        return self._pipeline.ports

    @property
    def papers_count(self) -> int:
        """Number of papers in the collection."""
        return len(self.index)

    def ask(self, question: str, history: History = (), *, question_id: str | None = None) -> Answer:
        """One answer. Empty, huge and hostile questions give a typed answer, not an exception.

        :raises CitewiseError: if a part is broken (a damaged model, an unreachable endpoint).
        """
        return self._pipeline.answer([Question(question, _turns(history), question_id)])[0]

    def stream(self, question: str, history: History = ()) -> Iterator[Event]:
        """The same answer as events: stages, pieces of the draft, and `Finished` last."""
        return self._pipeline.stream(Question(question, _turns(history)))

    def batch(self, questions: Sequence[str]) -> list[Answer]:
        """Answers in order. One that fails has status 'error'; the others are not touched."""
        return list(self.answer_many(Question(text) for text in questions))

    def answer_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Answers in order as they come, several questions sharing a generation batch."""
        waiting = iter(questions)
        while part := list(islice(waiting, self._batch_size)):
            yield from self._answer_part(part)

    def search(self, query: str, k: int = 10) -> list[Passage]:
        """The k papers that fit a query best."""
        return self._pipeline.search(query, k) if len(self.index) else []

    def paper(self, paper_id: str) -> Paper | None:
        """The paper of this id; None when the collection has none."""
        return next(iter(self.index.papers([paper_id])), None)

    def papers(self, after: str = "", limit: int = 100, *, words: str = "") -> list[Paper]:
        """Papers by id behind `after`, a page at a time; only those that hold `words`."""
        return self.index.page(after, limit, words=words)

    def as_runnable(self) -> Runnable[str | Question, Answer]:
        """The assistant as a LangChain `Runnable`: invoke, batch, async, callbacks, tracing.

        It takes the words of a question, or a `Question` with its history. Inside, the stages are runs of
        their own: `retrieve` (with the retriever's), the chat model's, and `verify`.
        """

        def ask(asked: str | Question) -> Answer:
            question = Question(asked) if isinstance(asked, str) else asked
            return self._pipeline.answer([question])[0]

        return RunnableLambda(ask, name="citewise")

    def _answer_part(self, part: list[Question]) -> list[Answer]:
        """Together; and if that fails, one by one, so that only the bad one is lost."""
        try:
            return self._pipeline.answer(part)
        except CitewiseError as exc:
            if len(part) == 1:
                failure = Failure(type(exc).__name__, exc.message, exc.hint)
                return [Answer.failed(part[0], failure, self.fingerprint)]
            return [answer for question in part for answer in self._answer_part([question])]


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


def assemble(index: PaperIndex, embedder: Embedder, settings: Settings, parts: Parts) -> Assistant:
    """Put an assistant together from an open index and its parts."""
    encoder = QueryEncoder(embedder.model)
    retriever = HybridRetriever(index=index, settings=settings, encoder=encoder)
    generator, generator_id = (
        (parts.generator, parts.generator_id or _identity(parts.generator))
        if parts.generator
        else load_generator(settings)
    )
    reranker, reranker_id = load_reranker(settings)
    question_model, question_id = load_question_model(settings) if reranker else (None, NONE)
    verifier, verifier_id = _verifier(encoder, settings, parts)
    reader_asked = asks_reader(generator, settings)
    read = "_read" if reranker else ""  # fitted anew where the reranker's signals take part
    ports = Ports(
        retriever=parts.retriever or retriever,
        sentence_cosines=partial(sentence_cosines, index, encoder),
        idf=index.lexical.idf,
        spelling=_spelling(index, settings),
        reranker=reranker,
        paper_model=load_logistic("papers"),
        question_model=question_model,
        likelihood_model=load_logistic("likelihood"),
        evidence_model=load_logistic(f"evidence{read}"),
        confidence_model=load_logistic(f"confidence{read}"),
        final_model=FinalModel(load_logistic("final"), load_logistic("final_undrafted")),
        reader_asked=reader_asked,
        verifier=verifier,
        generator=generator,
        count_tokens=lambda text: len(text) // _CHARS_PER_TOKEN + 1,
        papers_count=len(index),
        prefetch=encoder.queries,
    )
    identity = [settings.fingerprint(), prompts.fingerprint(), data_fingerprint()]
    identity += [embedder.checksum, generator_id, reranker_id, question_id, verifier_id, index.fingerprint]
    identity.append(preferred_engine(settings))
    identity.append(_kind(parts.retriever))
    fingerprint = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
    # a drop-in retriever may find something else tomorrow, under the same fingerprint
    memory = AnswerMemory(0 if parts.retriever else settings.answer_cache)
    return Assistant(index, Pipeline(ports, settings, fingerprint, memory), retriever)


def _preload(settings: Settings, parts: Parts) -> None:
    """Begin to load what will be asked: without drafts, neither the generator nor who checks them."""
    if parts.generator is None:
        preload_generator(settings)
    drafting = not settings.strict and (parts.generator is not None or settings.generator != NONE)
    if settings.reranker != NONE:  # the question model is asked about what was read
        preload_question_model(settings)
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
    judge, checksum = load_judge(settings)
    if judge is None:
        return lexical, checksum
    return TrainedVerifier(judge, lexical, load_logistic("support_trained")), checksum


def _identity(model: BaseChatModel) -> str:
    """What tells one drop-in chat model from another: its kind and its public parameters."""
    return f"{_kind(model)} {model._llm_type} {sorted(model._identifying_params.items(), key=str)}"


def _kind(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


def _open_collection(
    papers: str | Path | None,
    collection: str,
    embedder: Embedder,
    settings: Settings,
    progress: Progress | None,
) -> PaperIndex:
    """The index of a file, a folder or a named collection, built when it is not there yet."""
    if papers is not None:
        found, _ = read_collection([Path(papers).expanduser()], progress)
        digest = content_digest(found, embedder.checksum, ())
        root = collection_root(settings, f"papers-{digest[:16]}")
    else:
        root = collection_root(settings, collection)
    try:
        return open_index(root, embedding_checksum=embedder.checksum, embedding_model=embedder.name)
    except IndexMissing:
        if papers is None and collection != DEFAULT_COLLECTION:
            raise
        if papers is None:
            found, _ = read_collection(corpus_files(), progress)
    except IndexMismatch:
        if papers is not None or collection != DEFAULT_COLLECTION:
            raise
        found = list(open_index(root).all_papers())  # whoever updates keeps the papers that were added
    ingest_papers(root, found, embedder, settings, start_over=True, progress=progress)
    return open_index(root, embedding_checksum=embedder.checksum, embedding_model=embedder.name)


def _turns(history: History) -> tuple[Turn, ...]:
    """Turns from turns or (role, content) pairs."""
    return tuple(turn if isinstance(turn, Turn) else Turn(*turn) for turn in history)  # type: ignore[arg-type]
