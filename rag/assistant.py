"""The public class.

from rag import Assistant
answer = Assistant.open().ask("How much faster is Monarch Mixer at sequence length 4K?")
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from langchain_core.runnables import Runnable, RunnableLambda

from rag.errors import CitewiseError, IndexMismatch, IndexMissing, IndexOutdated
from rag.index.build import ingest_papers
from rag.index.embedding import Embedder
from rag.index.manifest import content_digest
from rag.index.paper_index import PaperIndex, open_index
from rag.ingest import collection_root, corpus_files, open_embedder, read_collection
from rag.pipeline.assemble import Parts, assemble, preload_models
from rag.pipeline.pipeline import Pipeline
from rag.ports import Progress
from rag.retrieve.retrievers import PaperRetriever
from rag.settings import Settings
from rag.types import Answer, Event, Failure, Paper, Passage, Question, Turn

History = Sequence[Turn | tuple[str, str]]
DEFAULT_COLLECTION = "default"
_log = logging.getLogger(__name__)


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
            preload_models(settings, parts)
        embedder = parts.embedder or open_embedder(settings)
        index = _open_collection(papers, collection, embedder, settings, progress)
        return cls.over(index, embedder, settings, parts)

    @classmethod
    def over(cls, index: PaperIndex, embedder: Embedder, settings: Settings, parts: Parts) -> Assistant:
        """The assistant over an index that is open."""
        pipeline, retriever = assemble(index, embedder, settings, parts)
        return cls(index, pipeline, retriever)

    @property
    def fingerprint(self) -> str:
        """Hash of settings, prompts, models and index: equal fingerprints, equal answers."""
        return self._pipeline.fingerprint

    @property
    def pipeline(self) -> Pipeline:
        """The way of a question, to be measured stage by stage."""
        return self._pipeline

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


def _open_collection(
    papers: str | Path | None,
    collection: str,
    embedder: Embedder,
    settings: Settings,
    progress: Progress | None,
) -> PaperIndex:
    """The index of a file, a folder or a named collection, built when it is not there yet."""
    found: list[Paper] = []
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
        found = found if papers is not None else read_collection(corpus_files(), progress)[0]
    except IndexOutdated as exc:
        _log.warning("%s; it is made anew, its papers and vectors are kept", exc.message)
        ingest_papers(root, [], embedder, settings, progress=progress)
        return open_index(root, embedding_checksum=embedder.checksum, embedding_model=embedder.name)
    except IndexMismatch:
        if papers is not None or collection != DEFAULT_COLLECTION:
            raise
        found = list(open_index(root, outdated=True).all_papers())  # whoever updates keeps what was added
    ingest_papers(root, found, embedder, settings, start_over=True, progress=progress)
    return open_index(root, embedding_checksum=embedder.checksum, embedding_model=embedder.name)


def _turns(history: History) -> tuple[Turn, ...]:
    """Turns from turns or (role, content) pairs."""
    return tuple(turn if isinstance(turn, Turn) else Turn(*turn) for turn in history)  # type: ignore[arg-type]
