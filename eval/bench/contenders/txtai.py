"""txtai's RAG pipeline over an embeddings database that keeps its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.bench.contenders.base import TOKENS_MAX, TOP_K, Clock, Figures, model_folders, text_of, timed
from rag.types import Paper

# The prompt of txtai's documentation; the model's chat template is put around it by txtai itself.
TEMPLATE = """
  Answer the following question using the provided context.

  Question:
  {question}

  Context:
  {context}
"""
GENERATION = {"max_new_tokens": TOKENS_MAX, "do_sample": False}


class Txtai:
    """`Embeddings(content=True)` and `RAG`, as on the RAG page: a paper is a row, the best 4 are the context.

    txtai's own `stream=True` gives up when five seconds pass without a token, which a long prompt on a busy
    core exceeds. So the answer is made whole, and a `Clock` among the generation's options tells when its
    first token came.
    """

    def imports(self) -> Figures:
        """See `Contender`."""
        import txtai

        self._library: Any = txtai
        return {}

    def load(self) -> Figures:
        """See `Contender`."""
        folders = model_folders()
        self._embeddings = self._library.Embeddings(path=str(folders["embedder"]), content=True)
        self._rag = self._library.RAG(
            self._embeddings, str(folders["generator"]), template=TEMPLATE, context=TOP_K, output="flatten"
        )
        return {}

    def index(self, papers: Sequence[Paper]) -> Figures:
        """See `Contender`."""
        self._embeddings.index([text_of(paper) for paper in papers])
        return {"vectors": float(self._embeddings.count())}

    def stages(self, question: str) -> Figures:
        """See `Contender`."""
        _, query_embed_s = timed(lambda: self._embeddings.transform(question, "query"))
        _, retrieve_s = timed(lambda: self._embeddings.search(question, TOP_K))
        return {"query_embed_s": query_embed_s, "retrieve_s": retrieve_s}

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        clock = Clock()
        self._rag(question, streamer=clock, **GENERATION)
        return clock.figures()

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        self._rag(list(questions), **GENERATION)
        return {}
