"""Fakes that can be computed by hand, and an assistant put together from them.

Nothing here patches the code under test: the fakes stand behind the same interfaces as the models, and
the weights are our own, so that no test depends on what eval/ has fitted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.assistant import Assistant
from rag.evidence.answerability import AnswerConfidence
from rag.index.build import ingest_papers
from rag.index.chunking import chunks_with_sentences
from rag.index.chunks import Chunk
from rag.index.embedding import Embedder, chunks_in
from rag.index.paper_index import PaperIndex, open_index
from rag.index.paper_text import read_paper
from rag.models.engines.decoder import Reading
from rag.models.logistic import LogisticModel
from rag.pipeline.assemble import Parts, named_embedder
from rag.pipeline.pipeline import Pipeline
from rag.ports import Verifier
from rag.settings import Settings
from rag.text.marks import display, keys_in
from rag.text.terms import terms
from rag.types import Answer, Hits, Paper, PaperText, Passage, Timings

DIMENSION = 256


class HashEmbeddings(Embeddings):
    """Each term of a text adds one to the component its crc32 names; rows have length 1.

    Texts that share words have a high cosine. `embedded` keeps every text that was asked for.
    """

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += texts
        return [self._row(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]

    @staticmethod
    def _row(text: str) -> list[float]:
        row = np.zeros(DIMENSION)
        for term in terms(text):
            row[zlib.crc32(term.encode("utf-8", "replace")) % (DIMENSION - 1)] += 1.0
        if not row.any():
            row[-1] = 1.0  # the place of texts without a word
        return (row / np.linalg.norm(row)).tolist()


Reply = str | Exception
Script = Sequence[Reply] | Callable[[str], Reply]


class FakeChatModel(BaseChatModel):
    """Says what the test wrote: replies from a queue, or from a function of the last message.

    A reply that is an exception is raised. `prompts` keeps every conversation it was given.
    """

    script: Any
    _queue: list[Reply] = PrivateAttr(default_factory=list)
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, script: Script = ()) -> None:
        super().__init__(script=script)
        self._queue = [] if callable(script) else list(script)

    @property
    def prompts(self) -> list[list[BaseMessage]]:
        return self._prompts

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _reply(self, messages: list[BaseMessage]) -> str:
        self._prompts.append(messages)
        if callable(self.script):
            reply = self.script(str(messages[-1].content))
        else:
            assert self._queue, "the fake was asked more often than it has replies"
            reply = self._queue.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(content=self._reply(messages))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in re.findall(r"\s*\S+\s*?|\s+$", self._reply(messages)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))


class ConstantVerifier:
    """The same support for every claim; `claims` keeps what it was asked."""

    def __init__(self, support: float = 1.0) -> None:
        self._support = support
        self.claims: list[tuple[str, str]] = []

    def support(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        self.claims += claims
        return [self._support] * len(claims)


class FakeReader:
    """Log-probabilities by a function of what it is asked, all messages as one text; `asked` keeps those.

    `says` gives the likelihood of what follows an opening, then one number for each proposed word.
    """

    def __init__(self, says: Callable[[str], Sequence[float]]) -> None:
        self._says = says
        self.asked: list[str] = []
        self.proposed: list[Sequence[str]] = []

    def readings(self, conversations: Sequence[Sequence[BaseMessage]], first: Sequence[str]) -> list[Reading]:
        self.proposed.append(list(first))
        found = []
        for conversation in conversations:
            self.asked.append("\n".join(str(message.content) for message in conversation))
            likelihood, *words = self._says(self.asked[-1])
            assert len(words) == len(first)
            found.append(Reading(likelihood, tuple(words)))
        return found


MONARCH = Paper(
    "monarch",
    "Monarch Mixer: Mixing Without Attention",
    "Transformers scale quadratically in sequence length. We present Monarch Mixer, an architecture "
    "that is sub-quadratic. Monarch Mixer reaches 9.1times higher throughput at sequence length 4K. "
    "It does not use attention. Monarch Mixer matches BERT-base with 27% fewer parameters.",
    2023,
    "https://example.org/monarch",
)
RETRO = Paper(
    "retro",
    "Retro-Li: Small-Scale Retrieval for Language Models",
    "Retrieval grounds language models in documents. We introduce Retro-Li, which retrieves from a "
    "small-scale memory. Retro-Li lowers perplexity by 12% with 1.3B parameters. Retro-Li never "
    "needs a web-scale database.",
    2024,
)
GALORE = Paper(
    "galore",
    "Natural GaLore: Memory-Efficient Training",
    "Training needs much memory for optimizer states. Natural GaLore applies the inverse empirical "
    "Fisher information matrix to low-rank gradients using Woodbury's Identity. It cuts optimizer "
    "memory by 65.5% on RoBERTa.",
)
DATAMAN = Paper(
    "dataman",
    "DataMan: A Data Manager for Pre-training",
    "Data quality decides pre-training. DataMan derives 14 quality criteria from perplexity "
    "anomalies. It annotates 447B tokens of the SlimPajama corpus.",
)
MEMORY = Paper(
    "memory",
    "Memory Layers for Retrieval at Scale",
    "Dense layers waste compute. Trainable memory layers add parameters without adding compute. "
    "Retrieval from memory layers doubles factual accuracy on question answering.",
)
PAPERS = (MONARCH, RETRO, GALORE, DATAMAN, MEMORY)

THROUGHPUT = "How much higher throughput does Monarch Mixer reach at sequence length 4K?"
OFF_CORPUS = "What is the capital of France?"

# Weights and bars of the tests' own: a sentence counts by the words it shares, an answer needs 3/8 of
# them. What eval/ fits, and the defaults it chooses, may change without a test changing.
EVIDENCE_MODEL = LogisticModel(-2.0, {"cosine": 2.0, "coverage_with_title": 3.0})
CONFIDENCE_MODEL = LogisticModel(-3.0, {"coverage_sentences": 8.0})
UNCHANGED = LogisticModel(0.0, {"prior": 1.0})  # after writing one is as sure as before
BARS = {
    "answerable_min": 0.5, "confident_min": 0.0, "support_min": 0.7,
    "quote_relative_min": 0.3,
    "quote_sentences_max": 3, "reranker": "none", "verifier": "none", "passages_top_k": 8,
}  # fmt: skip


def fake_embedder(name: str = "hash-a") -> Embedder:
    """Hash embeddings under a name, which is what makes their checksum."""
    return named_embedder(HashEmbeddings(), name)


def texts_of(*papers: Paper) -> dict[str, PaperText]:
    """Papers as they are read, by id."""
    return {paper.paper_id: read_paper(paper) for paper in papers}


def hits_of(*passages: Passage) -> Hits:
    """Passages with their texts."""
    return Hits(passages, texts_of(*(passage.paper for passage in passages)))


def chunks_of(paper: Paper, views: Sequence[str]) -> list[Chunk]:
    """What an index of these views holds of a paper."""
    found = [
        chunk for reading in chunks_with_sentences(paper, read_paper(paper)) for chunk in chunks_in(reading)
    ]
    return [chunk for chunk in found if chunk.view in views]


def built(root: Path, papers: Sequence[Paper] = PAPERS, **settings: Any) -> PaperIndex:
    """An index of these papers, opened."""
    ingest_papers(root, papers, fake_embedder(), Settings.load(**settings))
    return open_index(root)


def assistant_over(
    index: PaperIndex,
    *,
    generator: BaseChatModel | None = None,
    verifier: Verifier | None = None,
    **settings: Any,
) -> Assistant:
    """An assistant of fakes over an index; without a generator it answers by quoting."""
    parts = Parts(generator=generator, verifier=verifier or ConstantVerifier())
    known = Settings.load(**{"generator": "none", **BARS, **settings})
    assistant = Assistant.over(index, fake_embedder(), known, parts)
    return with_stages(assistant)


def with_stages(assistant: Assistant, **stages: Any) -> Assistant:
    """The assistant with weights of the tests' own, and these stages in the place of its own."""
    pipeline = assistant.pipeline
    select = replace(
        pipeline.stages.select, sentence_weights=EVIDENCE_MODEL, answerable_weights=CONFIDENCE_MODEL
    )
    conclude = replace(pipeline.stages.conclude, confidence=AnswerConfidence(UNCHANGED, UNCHANGED))
    changed = replace(pipeline.stages, **{"select": select, "conclude": conclude, **stages})
    preparation = replace(pipeline.preparation, stages=changed)
    assistant._pipeline = Pipeline(preparation, assistant.fingerprint)
    return assistant


def timeless(answer: Answer) -> Answer:
    """The answer without its wall-clock times, for comparing."""
    return replace(answer, timings=Timings())


def assert_sound(answer: Answer, index: PaperIndex) -> None:
    """What holds for every answer whatever was asked: statuses, keys, offsets, verbatim quotes."""
    cited = {citation.key: citation for citation in answer.citations}
    assert answer.status in {"answered", "quoted", "abstained", "error"}
    assert (answer.abstention is not None) == (answer.status == "abstained")
    assert (answer.error is not None) == (answer.status == "error")
    assert bool(answer.sentences) == (answer.status in {"answered", "quoted"}) == bool(cited)
    assert 0.0 <= answer.confidence <= 1.0
    assert list(cited) == list(range(1, len(cited) + 1))
    assert {key for sentence in answer.sentences for key in sentence.citations} == set(cited)
    assert all(sentence.citations for sentence in answer.sentences)
    if answer.status in {"answered", "quoted"}:
        assert set(keys_in(answer.text)) == set(cited)
    for citation in answer.citations:
        (paper,) = index.papers([citation.paper_id])
        assert citation.title == paper.title
        assert citation.quotes
        for quote in citation.quotes:
            assert quote.text == paper.abstract[quote.start : quote.end] == quote.text.strip() != ""
    if answer.status == "quoted":
        quoted = {display(quote.text) for citation in answer.citations for quote in citation.quotes}
        assert {sentence.text for sentence in answer.sentences} <= quoted
