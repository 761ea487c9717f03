"""LangChain's tutorial chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.bench.contenders.base import TOKENS_MAX, TOP_K, Figures, model_folders, streamed, text_of, timed
from rag.types import Paper


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
        documents = splitter.split_documents([Document(page_content=text_of(paper)) for paper in papers])
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
        _, query_embed_s = timed(lambda: self._embeddings.embed_query(question))
        _, retrieve_s = timed(lambda: self._retriever.invoke(question))
        return {"query_embed_s": query_embed_s, "retrieve_s": retrieve_s}

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        return streamed(lambda: self._chain.stream(question), lambda text: len(self._tokenizer.encode(text)))

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        self._chain.batch(list(questions))
        return {}


def _joined(documents: Sequence[Any]) -> str:
    return "\n\n".join(document.page_content for document in documents)
