"""What is compared, each as its own documentation sets it up, on the same papers and the same two models.

A contender lives in a process of its own (`eval.bench.worker`), so that its imports and its memory are its
own. To add a peer: one class here and one line in `CONTENDERS`.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from rag.settings import Settings
from rag.types import Paper

Figures = dict[str, float]
TOKENS_MAX = 80
TOP_K = 4


class Contender(Protocol):
    """Each step is timed from outside; what a step returns is measured inside it, in seconds."""

    def imports(self) -> Figures:
        """Import the library."""
        ...

    def load(self) -> Figures:
        """Load both models."""
        ...

    def index(self, papers: Sequence[Paper]) -> Figures:
        """Make the papers searchable."""
        ...

    def stages(self, question: str) -> Figures:
        """Parts of retrieval: query_embed_s, dense_s, lexical_s, retrieve_s, as far as there are such."""
        ...

    def ask(self, question: str) -> Figures:
        """One answer, streamed: first_token_s, tokens, decode_s, verify_s."""
        ...

    def batch(self, questions: Sequence[str]) -> Figures:
        """All of them, as this library answers many."""
        ...


class Citewise:
    """Citewise with its default settings; repeats are not answered from memory."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="citewise-bench-")
        self._settings = Settings.load(answer_cache=0, draft_tokens_max=TOKENS_MAX)

    def imports(self) -> Figures:
        """See `Contender`."""
        import rag.assistant  # noqa: F401

        return {}

    def load(self) -> Figures:
        """See `Contender`."""
        from rag.ingest import open_embedder
        from rag.models.chat import load_generator

        self._embedder = open_embedder(self._settings)
        self._generator: Any = load_generator(self._settings)[0]
        self._generator.load()
        return {}

    def index(self, papers: Sequence[Paper]) -> Figures:
        """See `Contender`."""
        from rag.assistant import Parts, assemble
        from rag.index import open_index
        from rag.indexing import ingest_papers
        from rag.models.encoder import QueryEncoder

        root = Path(self._folder.name)
        ingest_papers(root, papers, self._embedder, self._settings, start_over=True)
        self._encoder = QueryEncoder(self._embedder.model, kept=1)
        self._assistant = assemble(open_index(root), self._embedder, self._settings, Parts())
        return {"vectors": float(len(self._assistant.index.store))}

    def stages(self, question: str) -> Figures:
        """See `Contender`."""
        index = self._assistant.index
        query, query_embed_s = _timed(lambda: self._encoder.query(question))
        _, dense_s = _timed(lambda: index.store.search(query[None, :], 50))
        _, lexical_s = _timed(lambda: index.lexical.search(question, 50))
        _, retrieve_s = _timed(lambda: self._assistant.retriever.passages(question))
        return {
            "query_embed_s": query_embed_s,
            "dense_s": dense_s,
            "lexical_s": lexical_s,
            "retrieve_s": retrieve_s,
        }

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        from rag.types import DraftToken, Finished

        began = time.perf_counter()
        first, text, figures = 0.0, "", {}
        for event in self._assistant.stream(question):
            if isinstance(event, DraftToken):
                first = first or time.perf_counter() - began
                text += event.text
            if isinstance(event, Finished):
                drafting = event.answer.timings.generate_s
                figures = {"verify_s": event.answer.timings.verify_s}
        if first:
            figures |= _decoding(first, first + drafting, self._generator.count_tokens(text))
        return figures

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        self._assistant.batch(questions)
        return {}


class LangChain:
    """A chain as LangChain's tutorial has it: splitter, vector store, HuggingFacePipeline, top 4."""

    def imports(self) -> Figures:
        """See `Contender`."""
        import langchain_huggingface
        import langchain_text_splitters  # noqa: F401
        import transformers  # noqa: F401

        self._pipeline_kind = langchain_huggingface.HuggingFacePipeline  # imported when it is named
        return {}

    def load(self) -> Figures:
        """See `Contender`."""
        from langchain_huggingface import HuggingFaceEmbeddings
        from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

        folders = model_folders()
        self._embeddings = HuggingFaceEmbeddings(model_name=str(folders["embedder"]))
        tokenizer = AutoTokenizer.from_pretrained(folders["generator"])
        model = AutoModelForCausalLM.from_pretrained(folders["generator"])
        generate = pipeline(
            "text-generation",
            model=model,
            tokenizer=tokenizer,
            max_new_tokens=TOKENS_MAX,
            do_sample=False,
            return_full_text=False,
        )
        self._tokenizer = tokenizer
        self._model = self._pipeline_kind(pipeline=generate)
        return {}

    def index(self, papers: Sequence[Paper]) -> Figures:
        """See `Contender`."""
        from langchain_core.documents import Document
        from langchain_core.output_parsers import StrOutputParser
        from langchain_core.prompts import PromptTemplate
        from langchain_core.runnables import RunnablePassthrough
        from langchain_core.vectorstores import InMemoryVectorStore
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        texts = [f"{paper.title}\n\n{paper.abstract}" for paper in papers]
        documents = splitter.split_documents([Document(page_content=text) for text in texts])
        store = InMemoryVectorStore.from_documents(documents, self._embeddings)
        self._retriever = store.as_retriever(search_kwargs={"k": TOP_K})
        prompt = PromptTemplate.from_template(
            "Use the following pieces of context to answer the question.\n\n{context}\n\n"
            "Question: {question}\nHelpful Answer:"
        )
        self._chain = (
            {"context": self._retriever | _joined, "question": RunnablePassthrough()}
            | prompt
            | self._model
            | StrOutputParser()
        )
        return {"vectors": float(len(documents))}

    def stages(self, question: str) -> Figures:
        """See `Contender`."""
        _, query_embed_s = _timed(lambda: self._embeddings.embed_query(question))
        _, retrieve_s = _timed(lambda: self._retriever.invoke(question))
        return {"query_embed_s": query_embed_s, "retrieve_s": retrieve_s}

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        began = time.perf_counter()
        first, text = 0.0, ""
        for piece in self._chain.stream(question):
            first = first or time.perf_counter() - began
            text += piece
        ended = time.perf_counter() - began
        return _decoding(first, ended, len(self._tokenizer(text)["input_ids"])) if first else {}

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        self._chain.batch(list(questions))
        return {}


CONTENDERS: dict[str, type[Contender]] = {"citewise": Citewise, "langchain": LangChain}
NEEDS = {"citewise": "faiss", "langchain": "langchain_huggingface"}
REFERENCE = "langchain"


def missing(name: str) -> str | None:
    """Why a contender cannot run here; None when it can."""
    package = NEEDS[name]
    return None if importlib.util.find_spec(package) else f"{package} is not installed"


def model_folders() -> dict[str, Path]:
    """The two models as folders that every library reads: float32 safetensors."""
    from rag.models.convert import converted_folder
    from rag.models.merge import merged
    from rag.models.resolve import resolve

    settings = Settings.load()
    generator = resolve(settings.generator, settings)
    return {
        "embedder": merged(resolve(settings.embedding_model, settings), settings.cache_dir).path,
        "generator": converted_folder(generator, settings.cache_dir)
        if generator.path.is_file()
        else generator.path,
    }


def _joined(documents: Sequence[Any]) -> str:
    return "\n\n".join(document.page_content for document in documents)


def _timed(run: Any) -> tuple[Any, float]:  # noqa: ANN401 - whatever it returns
    began = time.perf_counter()
    found = run()
    return found, time.perf_counter() - began


def _decoding(first: float, ended: float, tokens: int) -> Figures:
    """First token and rate after it; a rate needs a second token."""
    figures = {"first_token_s": first, "tokens": float(tokens)}
    if tokens > 1 and ended > first:
        figures["tokens_per_s"] = (tokens - 1) / (ended - first)
    return figures
