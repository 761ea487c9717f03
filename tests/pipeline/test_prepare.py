"""A question before anything is written, over parts of the test's own (with an index: test_pipeline.py)."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from fakes import ConstantVerifier, FakeReader
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.evidence.answerability import AnswerConfidence
from rag.evidence.contributing import Contributing
from rag.evidence.select import EvidenceSelection
from rag.generate.drafts import Quoting
from rag.index.paper_text import read_paper
from rag.models.logistic import LogisticModel
from rag.pipeline.conclude import Conclusion
from rag.pipeline.prepare import Preparation
from rag.pipeline.stages import Stages
from rag.ports import Abstract, Reranker
from rag.query.condense import Condenser
from rag.query.spelling import Spelling
from rag.rerank.cascade import EnoughBars, RerankCascade, RetrievedOrder
from rag.rerank.cross_encoder import CrossEncoder
from rag.rerank.paper_reading import NoSecondLook, PaperReading
from rag.retrieve.stage import Retrieval
from rag.settings import Settings
from rag.types import Paper, PaperText, Question, Relevance, Turn
from rag.verify.grounding import Verification

HALF = LogisticModel(0.0, {})
BY_COSINE = LogisticModel(0.0, {"cosine": 1.0})
BY_GAIN = LogisticModel(0.0, {"gain": 1.0})
BY_TELLING = LogisticModel(0.0, {"telling": 1.0})
BY_ANSWER = LogisticModel(0.0, {"answers": 1.0})


def read_papers(papers: Sequence[Paper]) -> list[PaperText]:
    return [read_paper(paper) for paper in papers]


class Shelf(BaseRetriever):
    """Finds the same documents for every question; `asked` keeps the questions."""

    documents: list[Document]
    asked: list[str] = []  # noqa: RUF012 - a field of pydantic

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        self.asked.append(query)
        return self.documents


def page(title: str, abstract: str) -> Document:
    return Document(page_content=abstract, metadata={"paper_id": title.lower(), "title": title})


ALPHA = page("Alpha", "Alpha is 5. Alpha is fast.")
BETA = page("Beta", "Beta is 6.")
ALPHA_PAPER, BETA_PAPER = (
    Paper(d.metadata["title"].lower(), d.metadata["title"], d.page_content) for d in (ALPHA, BETA)
)


def preparation(
    *documents: Document,
    papers_count: int = 2,
    prefetched: list[str] | None = None,
    reranker: Reranker | None = None,
    reader: FakeReader | None = None,
    answerable_min: float = 0.0,
    **settings: object,
) -> tuple[Preparation, Shelf]:
    """Each sentence has the cosine 0.1 x its place, counted over all papers."""

    def cosines(question: str, papers: Sequence[Paper], texts: object) -> list[np.ndarray]:
        rows, place = [], 0
        for paper in papers:
            count = paper.abstract.count(".")
            rows.append(np.arange(place, place + count, dtype=np.float32) / 10)
            place += count
        return rows

    shelf = Shelf(documents=list(documents), asked=[])
    known = Settings.load(**settings)
    spelling = Spelling(frozenset({"fast"}), {"fast"}.__contains__, lambda term: 1.0)
    rerank: RerankCascade | RetrievedOrder = RetrievedOrder()
    if reranker is not None:
        second_look = PaperReading(reader, BY_GAIN, 3) if reader else NoSecondLook()
        rerank = RerankCascade(
            CrossEncoder(reranker, BY_ANSWER),
            second_look,
            top_k=known.rerank_top_k,
            first_k=known.rerank_first_k,
            bars=EnoughBars(known.sure_min, known.lead_min),
        )
    stages = Stages(
        condense=Condenser(spelling, known.question_chars_max),
        retrieve=Retrieval(shelf, (prefetched if prefetched is not None else []).extend, read_papers),
        rerank=rerank,
        select=EvidenceSelection(cosines, lambda term: 1.0, BY_COSINE, HALF, Contributing(BY_TELLING, 0.5)),
        generate=Quoting(),
        verify=Verification(ConstantVerifier(), 0.5),
        conclude=Conclusion(AnswerConfidence(HALF, HALF), 0.0, 0.3, 3),
    )
    return Preparation(stages, papers_count, known.passages_top_k, answerable_min), shelf


def test_evidence_is_keyed_from_the_best_sentence_on() -> None:
    prepared, shelf = preparation(ALPHA, BETA)
    found = prepared.one(Question("What is fast?"))
    assert shelf.asked == ["What is fast?"]
    assert [passage.paper.paper_id for passage in found.passages] == ["alpha", "beta"]
    assert [(item.key, item.text) for item in found.evidence] == [(1, "Beta is 6.")]
    assert found.texts == {"alpha": read_paper(ALPHA_PAPER), "beta": read_paper(BETA_PAPER)}
    assert found.readings == {}
    assert (found.kind, found.abstention, found.confidence) == ("fact", None, 0.5)
    assert found.retrieve_s > 0


def test_all_questions_are_prefetched_as_they_will_be_asked() -> None:
    prefetched: list[str] = []
    prepared, shelf = preparation(ALPHA, prefetched=prefetched)
    history = (Turn("user", "What is Retro-Li?"), Turn("assistant", "Retro-Li retrieves."))
    found = prepared.together(
        [Question("What\x00 is   fast?"), Question("And how fast is it?", history), Question("")]
    )
    assert prefetched == [item.standalone for item in found]
    assert prefetched[0] == "What is fast?"
    assert "Retro-Li" in prefetched[1]
    assert shelf.asked == prefetched[:2]


def test_one_question_is_not_prefetched() -> None:
    prefetched: list[str] = []
    prepared, _ = preparation(ALPHA, prefetched=prefetched)
    prepared.one(Question("What is fast?"))
    assert prefetched == []


@pytest.mark.parametrize(
    ("question", "papers_count", "documents", "reason", "searched"),
    [
        ("?!", 0, [], "empty_question", 0),
        ("What is fast?", 0, [], "empty_collection", 0),
        ("What is fast?", 2, [], "no_evidence", 1),
        ("What is fast?", 2, [page("Empty", "")], "no_evidence", 1),
    ],
)
def test_why_not(
    question: str, papers_count: int, documents: list[Document], reason: str, searched: int
) -> None:
    prepared, shelf = preparation(*documents, papers_count=papers_count)
    found = prepared.one(Question(question))
    assert found.abstention is not None
    assert found.abstention.reason == reason
    assert found.abstention.closest == tuple(d.metadata["title"] for d in documents)
    assert (found.confidence, found.evidence, len(shelf.asked)) == (0.0, (), searched)


@pytest.mark.parametrize(("bar", "refused"), [(0.5, False), (0.51, True)])
def test_the_bar_itself_is_enough(bar: float, refused: bool) -> None:
    found = preparation(ALPHA, BETA, answerable_min=bar)[0].one(Question("What is fast?"))
    assert (found.abstention is not None) == refused
    assert found.confidence == 0.5
    if found.abstention:
        assert found.abstention.reason == "low_confidence"
        assert found.abstention.closest == ("Alpha", "Beta")
        assert found.evidence == ()


def test_without_a_reader_the_words_say_that_several_papers_are_asked_for() -> None:
    third = page("Gamma", "Gamma is 7.")
    found = preparation(ALPHA, BETA, third)[0].one(Question("Compare the speeds of Alpha and Beta."))
    assert found.kind == "compare"
    assert {item.paper.title for item in found.evidence} == {"Alpha", "Beta", "Gamma"}
    fact = preparation(ALPHA, BETA, third)[0].one(Question("What is fast?"))
    assert (fact.kind, {item.paper.title for item in fact.evidence}) == ("fact", {"Gamma"})


@pytest.mark.parametrize(("declining", "told"), [(log(0.4), ["Alpha", "Beta"]), (log(0.6), ["Alpha"])])
def test_with_a_reader_every_paper_that_tells_is_told_however_it_was_asked(
    declining: float, told: list[str]
) -> None:
    """Alpha tells in any case; log-odds that Beta tells: ln 1.5, or less than 0."""
    reader = FakeReader(lambda text: (-10.0, declining if "Title: Beta" in text else log(0.1)))
    kind = "compare" if len(told) > 1 else "fact"
    prepared, _ = preparation(ALPHA, BETA, reranker=LongestAnswers(), reader=reader)
    found = prepared.one(Question("Compare the speeds of Alpha and Beta."))
    assert (found.kind, sorted({item.paper.title for item in found.evidence})) == (kind, told)


class LongestAnswers:
    """Reads a title's length as the log-odds of answering; `read_papers` keeps what it was given."""

    def __init__(self) -> None:
        self.read_papers: list[Abstract] = []

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        self.read_papers += papers
        return [Relevance(0.0, float(len(title)), (0.0,) * len(told)) for title, told in papers]


def test_what_was_read_orders_the_papers_anew_and_becomes_their_score() -> None:
    reranker = LongestAnswers()
    prepared, _ = preparation(BETA, ALPHA, reranker=reranker, rerank_first_k=2)
    found = prepared.one(Question("What is fast?"))
    assert reranker.read_papers == [("Beta", ["Beta is 6."]), ("Alpha", ["Alpha is 5.", "Alpha is fast."])]
    assert [(p.paper.title, p.rank) for p in found.passages] == [("Alpha", 1), ("Beta", 2)]
    assert [round(p.score, 4) for p in found.passages] == [0.9933, 0.982]  # 1/(1+exp(-5)), 1/(1+exp(-4))


def test_more_papers_are_read_than_are_kept() -> None:
    reranker = LongestAnswers()
    prepared, _ = preparation(BETA, ALPHA, reranker=reranker, passages_top_k=1, sure_min=1.0)
    found = prepared.one(Question("What is fast?"))
    assert [p.paper.title for p in found.passages] == ["Alpha"]
    assert len(reranker.read_papers) == 2


@pytest.mark.parametrize(("lead_min", "read"), [(0.2, ["Alpha"]), (0.9, ["Alpha", "Beta"])])
def test_one_sure_paper_is_enough_where_it_was_found_well_ahead(lead_min: float, read: list[str]) -> None:
    """Without scores the first is half ahead: 1 / 1 - 1 / 2."""
    reranker = LongestAnswers()
    prepared, _ = preparation(ALPHA, BETA, reranker=reranker, rerank_first_k=1, lead_min=lead_min)
    prepared.one(Question("What is fast?"))
    assert [title for title, _ in reranker.read_papers] == read


def test_at_first_it_is_what_comes_of_the_first_paper_alone() -> None:
    reranker = LongestAnswers()
    prepared, _ = preparation(ALPHA, BETA, reranker=reranker, rerank_first_k=1, sure_min=0.999)
    begun, settled = prepared.at_first(Question("What is fast?"))
    assert (begun.asked.kind, begun.first.is_final, settled) == ("fact", False, None)
    probable = prepared.provisional(begun)
    assert [item.text for item in probable.evidence] == ["Alpha is fast.", "Alpha is 5."]
    assert [title for title, _ in reranker.read_papers] == ["Alpha"]
    found = prepared.read_on(begun)
    assert {item.paper.title for item in found.evidence} == {"Beta"}  # it holds the best sentence
    assert found.retrieve_s > begun.seconds > 0


def test_a_sure_first_look_settles_it() -> None:
    prepared, _ = preparation(ALPHA, BETA, reranker=LongestAnswers(), rerank_first_k=1)
    begun, settled = prepared.at_first(Question("What is fast?"))
    assert begun.first.is_final
    assert settled is not None
    assert {item.paper.title for item in settled.evidence} == {"Alpha"}


def likelier() -> FakeReader:
    """Beta makes a question likelier by 30 nats, Alpha by 10; one in two declines."""
    return FakeReader(
        lambda text: (-10.0 if "Beta" in text else -30.0 if "Alpha" in text else -40.0, log(0.5))
    )


def test_a_doubtful_order_is_put_to_the_reader() -> None:
    reader = likelier()
    asked = Question("Which papers are fast?")
    doubting, _ = preparation(ALPHA, BETA, reranker=LongestAnswers(), reader=reader, sure_min=1.0)
    found = doubting.one(asked)
    assert [p.paper.title for p in found.passages] == ["Beta", "Alpha"]
    assert [round(p.score, 4) for p in found.passages] == [0.9526, 0.7311]  # 1/(1+e^-3), 1/(1+e^-1)
    assert len(reader.asked) == 3
    assert all(text.endswith("\n\nQuestion: Which papers are fast?") for text in reader.asked)
    assert {key: own.likelihood for key, own in found.readings.items()} == {"alpha": 10.0, "beta": 30.0}


def test_what_is_written_ahead_waits_for_no_reader() -> None:
    reader = likelier()
    prepared, _ = preparation(ALPHA, BETA, reranker=LongestAnswers(), reader=reader, sure_min=0.999)
    begun, _ = prepared.at_first(Question("What is fast?"))
    assert prepared.provisional(begun).readings["alpha"].telling is None
    assert reader.asked == []
    assert prepared.read_on(begun).readings["alpha"].telling == pytest.approx(0.0)


def test_a_misspelt_word_is_mended_before_anything_is_searched() -> None:
    prepared, shelf = preparation(ALPHA)
    found = prepared.one(Question("How fasst is Alpha?"))
    assert shelf.asked == ["How fast is Alpha?"]
    assert (found.standalone, found.question.text) == ("How fast is Alpha?", "How fasst is Alpha?")
