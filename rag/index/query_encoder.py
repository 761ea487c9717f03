"""Question vectors, each computed once: retrieval and evidence selection ask for the same ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.index.chunking import ChunkWithSentences
from rag.index.embedding import embedded
from vectorstore.base import unit_rows


class QueryEncoder:
    """`Embeddings` with a small memory for questions and evidence. Vectors are unit length, float32."""

    def __init__(self, model: Embeddings, *, kept: int = 512) -> None:
        self._model = model
        self._capacity = kept
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def query(self, text: str) -> NDArray[np.float32]:
        """Shape (dimension,)."""
        return self.queries([text])[0]

    def queries(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One vector per text; texts not seen lately are embedded together."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._kept]
            if new:
                rows = unit_rows(self._model.embed_documents(list(new)))
                self._kept.update(zip(new, rows, strict=True))
            found = [self._kept[text] for text in texts]
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return found

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, dimension), not remembered."""
        with self._lock:
            return unit_rows(self._model.embed_documents(list(texts)))

    def chunks(self, chunks: Sequence[ChunkWithSentences]) -> list[NDArray[np.float32]]:
        """Per chunk its own row and one a sentence, shape (1 + sentences, dimension), not remembered."""
        with self._lock:
            return embedded(chunks, self._model)
