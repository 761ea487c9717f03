"""LlamaIndex's engine whose answers cite numbered sources, the peer nearest to what Citewise does."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from eval.bench.contenders.base import TOKENS_MAX, TOP_K, Figures, model_folders, streamed, text_of, timed
from rag.types import Paper


class LlamaIndex:
    """`CitationQueryEngine` over a `VectorStoreIndex`, with its own splitters and prompts.

    The engine has no call for many questions: they are asked one after another, not streamed.
    """

    def imports(self) -> Figures:
        """See `Contender`."""
        import llama_index.core
        import llama_index.embeddings.huggingface
        import llama_index.llms.huggingface

        # Tried on the first index, with parts of LangChain where that is installed: here, or it would count
        # as indexing.
        with contextlib.suppress(ImportError):
            import llama_index.core.bridge.langchain  # noqa: F401
        return {}

    def load(self) -> Figures:
        """See `Contender`."""
        from llama_index.core import set_global_tokenizer
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from llama_index.llms.huggingface import HuggingFaceLLM
        from transformers import AutoTokenizer

        folders = model_folders()
        self._embeddings = HuggingFaceEmbedding(model_name=str(folders["embedder"]))
        tokenizer = AutoTokenizer.from_pretrained(folders["generator"])
        set_global_tokenizer(tokenizer.encode)
        self._tokenizer: Any = tokenizer
        self._model = HuggingFaceLLM(
            model_name=str(folders["generator"]),
            tokenizer=tokenizer,
            max_new_tokens=TOKENS_MAX,
            generate_kwargs={"do_sample": False},
            is_chat_model=True,
        )
        return {}

    def index(self, papers: Sequence[Paper]) -> Figures:
        """See `Contender`."""
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.query_engine import CitationQueryEngine

        documents = [Document(text=text_of(paper)) for paper in papers]
        index = VectorStoreIndex.from_documents(documents, embed_model=self._embeddings)
        self._whole, self._streaming = (
            CitationQueryEngine.from_args(index, llm=self._model, similarity_top_k=TOP_K, streaming=streaming)
            for streaming in (False, True)
        )
        return {"vectors": float(len(index.index_struct.nodes_dict))}

    def stages(self, question: str) -> Figures:
        """See `Contender`."""
        _, query_embed_s = timed(lambda: self._embeddings.get_query_embedding(question))
        _, retrieve_s = timed(lambda: self._whole.retriever.retrieve(question))
        return {"query_embed_s": query_embed_s, "retrieve_s": retrieve_s}

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        return streamed(
            lambda: self._streaming.query(question).response_gen,
            lambda text: len(self._tokenizer.encode(text)),
        )

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        for question in questions:
            self._whole.query(question)
        return {}
