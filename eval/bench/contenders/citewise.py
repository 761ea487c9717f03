"""Citewise itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from eval.bench.contenders.base import TOKENS_MAX, Figures, decoding, timed
from rag.settings import Settings
from rag.types import Paper


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
        from rag.models.generator import LocalChatModel
        from rag.models.load import load_generator

        self._embedder = open_embedder(self._settings)
        generator, _ = load_generator(self._settings)
        assert isinstance(generator, LocalChatModel), "the bench is of local models"
        generator.load()
        self._generator = generator
        return {}

    def index(self, papers: Sequence[Paper]) -> Figures:
        """See `Contender`."""
        from rag.assistant import Assistant
        from rag.index.build import ingest_papers
        from rag.index.paper_index import open_index
        from rag.index.query_encoder import QueryEncoder
        from rag.pipeline.assemble import Parts

        root = Path(self._folder.name)
        ingest_papers(root, papers, self._embedder, self._settings, start_over=True)
        self._encoder = QueryEncoder(self._embedder.model, kept=1)
        self._assistant = Assistant.over(open_index(root), self._embedder, self._settings, Parts())
        return {"vectors": float(len(self._assistant.index.store))}

    def stages(self, question: str) -> Figures:
        """See `Contender`."""
        index = self._assistant.index
        query, query_embed_s = timed(lambda: self._encoder.query(question))
        _, dense_s = timed(lambda: index.store.search(query[None, :], 50))
        _, lexical_s = timed(lambda: index.lexical.search(question, 50))
        _, retrieve_s = timed(lambda: self._assistant.retriever.passages(question))
        return {
            "query_embed_s": query_embed_s,
            "dense_s": dense_s,
            "lexical_s": lexical_s,
            "retrieve_s": retrieve_s,
        }

    def ask(self, question: str) -> Figures:
        """See `Contender`."""
        from rag.types import DraftToken, Finished, StageStarted

        began = time.perf_counter()
        text, figures = "", Figures()
        told: list[float] = []
        for event in self._assistant.stream(question):
            if isinstance(event, StageStarted) and event.stage == "writing":
                text, told = "", []  # a draft begun before its papers were sure may be begun anew
            if isinstance(event, DraftToken):
                text += event.text
                told.append(time.perf_counter() - began)
            if isinstance(event, Finished):
                timings = event.answer.timings
                figures = {"verify_s": timings.verify_s}
        if timings.first_token_s:  # of the draft that the answer was made of
            figures |= decoding(told[0], told[-1], self._generator.count_tokens(text))
        return figures

    def batch(self, questions: Sequence[str]) -> Figures:
        """See `Contender`."""
        self._assistant.batch(questions)
        return {}
