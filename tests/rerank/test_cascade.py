"""Papers read until one is sure, over a retriever and models of the test's own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.models.logistic import LogisticModel
from rag.models.reranker import Abstract, Relevance
from rag.rerank.cascade import RerankCascade
from rag.rerank.cross_encoder import Ranking
from rag.settings import Settings

BY_ANSWER = LogisticModel(0.0, {"answers": 1.0})
BY_GAIN = LogisticModel(0.0, {"gain": 1.0})


class Shelf(BaseRetriever):
    """The same documents for every question."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        return self.documents


class Logits:
    """Reads as the log-odds of answering what the test says of a title; `seen` keeps the titles."""

    def __init__(self, **logits: float) -> None:
        self._logits = logits
        self.seen: list[str] = []

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        self.seen += [title for title, _ in papers]
        return [Relevance(0.0, self._logits[title], (0.0,) * len(told)) for title, told in papers]


class Likelier:
    """The question is likelier by 30 nats after Beta, by 10 after Alpha."""

    def likelihoods(self, conversations: Sequence[Sequence[object]], text: str) -> list[float]:
        told = ["\n".join(str(message) for message in one) for one in conversations]
        return [-10.0 if "Beta" in one else -30.0 if "Alpha" in one else -40.0 for one in told]


def finder(
    reader: Logits | None, *titles: str, question_model: Likelier | None = None, **settings: object
) -> RerankCascade:
    documents = [
        Document(page_content=f"{title} is fast.", metadata={"paper_id": title.lower(), "title": title})
        for title in titles
    ]
    known = Settings.load(**settings)
    return RerankCascade(Shelf(documents=documents), reader, BY_ANSWER, question_model, BY_GAIN, known)


def found(read: Ranking) -> list[str]:
    return [passage.paper.title for passage in read.passages]


def test_a_sure_first_paper_settles_it() -> None:
    reader = Logits(Alpha=3.0, Beta=9.0)  # 1 / (1 + e^-3) = .953
    seen = finder(reader, "Alpha", "Beta").glance("What is fast?", 2, few=1)
    assert seen.settled
    papers = finder(reader, "Alpha", "Beta").finish(seen)
    assert (found(papers), list(papers.readings)) == (["Alpha", "Beta"], ["alpha"])
    assert reader.seen == ["Alpha"]


def test_in_doubt_the_guess_is_the_first_paper_and_the_end_may_be_another() -> None:
    reader = Logits(Alpha=2.0, Beta=2.5)  # .881 and .924, of which the second is sure
    looking = finder(reader, "Alpha", "Beta")
    seen = looking.glance("What is fast?", 1, few=1)
    assert not seen.settled
    assert found(looking.guess(seen)) == ["Alpha"]
    assert reader.seen == ["Alpha"]
    assert found(looking.finish(seen)) == ["Beta"]
    assert reader.seen == ["Alpha", "Beta"]  # what was read is not read again


def test_the_question_model_is_asked_last() -> None:
    reader = Logits(Alpha=2.0, Beta=1.0)
    looking = finder(reader, "Alpha", "Beta", question_model=Likelier())
    seen = looking.glance("What is fast?", 2, few=None)
    assert not seen.settled
    assert found(looking.guess(seen)) == ["Alpha", "Beta"]
    assert found(looking.finish(seen)) == ["Beta", "Alpha"]


def test_all_read_and_nobody_else_to_ask_is_settled() -> None:
    looking = finder(Logits(Alpha=0.0, Beta=1.0), "Alpha", "Beta")
    seen = looking.glance("What is fast?", 2, few=None)
    assert seen.settled
    assert found(looking.finish(seen)) == ["Beta", "Alpha"]


def test_without_a_reranker_the_order_is_the_retrievers() -> None:
    looking = finder(None, "Beta", "Alpha", "Gamma")
    seen = looking.glance("What is fast?", 2, few=1)
    assert seen.settled
    assert found(looking.guess(seen)) == found(looking.finish(seen)) == ["Beta", "Alpha"]


@pytest.mark.parametrize("reader", [None, Logits()])
def test_nothing_retrieved_is_settled(reader: Logits | None) -> None:
    looking = finder(reader, question_model=Likelier())
    seen = looking.glance("What is fast?", 2, few=1)
    assert seen.settled
    assert found(looking.finish(seen)) == []
