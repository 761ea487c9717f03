"""Papers read until one is sure, by models of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes import FakeReader, hits_of

from rag.models.logistic import LogisticModel
from rag.ports import Abstract
from rag.rerank.cascade import EnoughBars, RerankCascade, RetrievedOrder, one_is_enough
from rag.rerank.cross_encoder import CrossEncoder
from rag.rerank.paper_reading import NoSecondLook, PaperReading
from rag.types import AskedQuestion, Hits, Paper, Passage, Question, Ranking, Relevance

BY_ANSWER = LogisticModel(0.0, {"answers": 1.0})
BY_GAIN = LogisticModel(0.0, {"gain": 1.0})


class Logits:
    """Reads as the log-odds of answering what the test says of a title; `seen` keeps the titles."""

    def __init__(self, **logits: float) -> None:
        self._logits = logits
        self.seen: list[str] = []

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        self.seen += [title for title, _ in papers]
        return [Relevance(0.0, self._logits[title], (0.0,) * len(told)) for title, told in papers]


def likelier(declining: float = -1.0) -> FakeReader:
    """The question is likelier by 30 nats behind Beta, by 10 behind Alpha; all decline alike."""
    return FakeReader(
        lambda text: (-10.0 if "Beta" in text else -30.0 if "Alpha" in text else -40.0, declining)
    )


def asked() -> AskedQuestion:
    return AskedQuestion(Question("What is fast?"), "What is fast?", "fact")


def hits(*titles: str, lead: float = 0.5) -> Hits:
    """Papers in this order, each found ahead of the next by this much."""
    papers = [Paper(title.lower(), title, f"{title} is fast.") for title in titles]
    return hits_of(*(Passage(paper, rank, 2.0 - lead * rank) for rank, paper in enumerate(papers, start=1)))


BARS = EnoughBars(sure_min=0.9, lead_min=0.2)
SURE_OF_ALL = EnoughBars(sure_min=0.0, lead_min=0.2)


def cascade(first: Logits, reader: FakeReader | None = None) -> RerankCascade:
    second_look = PaperReading(reader, BY_GAIN, 3) if reader else NoSecondLook()
    return RerankCascade(CrossEncoder(first, BY_ANSWER), second_look, top_k=12, first_k=1, bars=BARS)


def titles(ranking: Ranking) -> list[str]:
    return [passage.paper.title for passage in ranking.passages]


def test_a_sure_first_paper_is_final() -> None:
    reader = Logits(Alpha=3.0, Beta=9.0)  # 1 / (1 + e^-3) = .953
    first = cascade(reader).first_pass(asked(), hits("Alpha", "Beta"))
    assert first.is_final
    ranking = cascade(reader).complete(first)
    assert (titles(ranking), list(ranking.relevance)) == (["Alpha", "Beta"], ["alpha"])
    assert reader.seen == ["Alpha"]


def test_in_doubt_it_is_first_the_first_paper_and_at_the_end_perhaps_another() -> None:
    reader = Logits(Alpha=2.0, Beta=2.5)  # .881 and .924, of which the second is sure
    stage = cascade(reader)
    first = stage.first_pass(asked(), hits("Alpha", "Beta"))
    assert not first.is_final
    assert titles(first.ranking.first(1)) == ["Alpha"]
    assert reader.seen == ["Alpha"]
    assert titles(stage.complete(first).first(1)) == ["Beta"]
    assert reader.seen == ["Alpha", "Beta"]  # what was read is not read again


def test_a_paper_that_lacks_a_name_of_the_question_is_not_sure() -> None:
    reader = Logits(Alpha=3.0, Beta=2.0)
    named = AskedQuestion(Question("q"), "Is GPT-4 fast?", "fact")
    first = cascade(reader).first_pass(named, hits("Alpha", "Beta"))
    assert not first.is_final
    cascade(reader).complete(first)
    assert reader.seen == ["Alpha", "Beta"]
    known = AskedQuestion(Question("q"), "Is Alpha fast?", "fact")
    assert cascade(Logits(Alpha=3.0, Beta=2.0)).first_pass(known, hits("Alpha", "Beta")).is_final


def test_weights_are_those_fitted_with_a_reader_or_without() -> None:
    with_reader, without = cascade(Logits(), likelier()), cascade(Logits())
    assert (with_reader.evidence_weights, with_reader.confidence_weights) == (
        "evidence_read",
        "confidence_read",
    )
    assert (without.evidence_weights, without.confidence_weights) == (
        "evidence_reranked",
        "confidence_reranked",
    )


@pytest.mark.parametrize(("lead", "enough"), [(0.25, True), (0.15, False)])
def test_papers_found_side_by_side_may_both_answer(lead: float, enough: bool) -> None:
    reader = likelier()
    stage = cascade(Logits(Alpha=3.0, Beta=2.0), reader)
    first = stage.first_pass(asked(), hits("Alpha", "Beta", lead=lead))
    assert first.is_final == enough
    stage.complete(first)
    assert len(reader.asked) == (2 if enough else 3)  # the papers, and none


def test_a_paper_that_was_not_found_first_is_not_enough() -> None:
    found = hits("Alpha", "Beta").passages
    ranking = Ranking((replace(found[1], score=0.95), replace(found[0], score=0.05)), {})
    assert not one_is_enough("What is fast?", found, ranking, BARS)
    assert one_is_enough(
        "What is fast?", found, replace(ranking, passages=ranking.passages[::-1]), SURE_OF_ALL
    )


def test_for_a_search_all_are_read_and_the_reader_looks_at_the_first() -> None:
    encoder, reader = Logits(Alpha=9.0, Beta=2.5), likelier()
    assert titles(cascade(encoder, reader).read_all("fast", hits("Alpha", "Beta"))) == ["Beta", "Alpha"]
    assert encoder.seen == ["Alpha", "Beta"]
    assert titles(RetrievedOrder().read_all("fast", hits("Beta", "Alpha"))) == ["Beta", "Alpha"]


def test_the_reader_is_asked_last() -> None:
    reader = likelier()
    stage = cascade(Logits(Alpha=2.0, Beta=1.0), reader)
    first = stage.first_pass(asked(), hits("Alpha", "Beta"))
    assert not first.is_final
    assert titles(first.ranking) == ["Alpha", "Beta"]
    assert reader.asked == []
    assert titles(stage.complete(first)) == ["Beta", "Alpha"]
    assert len(reader.asked) == 3  # both papers, and none


def test_of_a_sure_paper_the_reader_is_asked_too_and_of_no_other() -> None:
    reader = likelier()  # 1 - e^-1 = .632: it tells
    stage = cascade(Logits(Alpha=3.0, Beta=2.0), reader)
    first = stage.first_pass(asked(), hits("Alpha", "Beta"))
    assert first.is_final
    found = stage.complete(first)
    assert titles(found) == ["Alpha", "Beta"]
    assert ["Beta" in text for text in reader.asked] == [False, False]
    assert found.relevance["alpha"].likelihood == 10.0


def test_a_paper_that_is_sure_but_was_found_behind_another_is_read_beside_it() -> None:
    found = cascade(Logits(Alpha=2.0, Beta=2.5), likelier())(asked(), hits("Alpha", "Beta"))
    assert titles(found) == ["Beta", "Alpha"]
    assert (found.relevance["alpha"].likelihood, found.relevance["beta"].likelihood) == (10.0, 30.0)


def test_a_sure_paper_that_declines_sends_for_the_others() -> None:
    """1 - e^-.1 = .095 that it tells: the cross-encoder reads on, then the reader looks at both."""
    encoder = Logits(Alpha=3.0, Beta=2.0)
    stage = cascade(encoder, likelier(-0.1))
    first = stage.first_pass(asked(), hits("Alpha", "Beta"))
    assert first.is_final
    found = stage.complete(first)
    assert encoder.seen == ["Alpha", "Beta"]
    assert found.relevance["beta"].likelihood == 30.0


def test_all_read_and_nobody_else_to_ask_is_final() -> None:
    stage = cascade(Logits(Alpha=0.0, Beta=1.0))
    first = stage.first_pass(asked(), hits("Alpha"))
    assert first.is_final
    assert titles(stage(asked(), hits("Alpha", "Beta"))) == ["Beta", "Alpha"]


def test_as_many_are_retrieved_as_will_be_read_or_are_wanted() -> None:
    assert [cascade(Logits()).depth(wanted) for wanted in (10, 20)] == [12, 20]
    assert [RetrievedOrder().depth(wanted) for wanted in (10, 20)] == [10, 20]


def test_without_a_reranker_the_order_is_the_retrievers() -> None:
    first = RetrievedOrder().first_pass(asked(), hits("Beta", "Alpha", "Gamma"))
    assert first.is_final
    ranking = RetrievedOrder().complete(first)
    assert (titles(ranking), ranking.relevance) == (["Beta", "Alpha", "Gamma"], {})
    assert ranking.read_passages == ranking.passages  # where nothing reads all may be told


class Unloaded:
    """A model that nobody may ask: asking would load it."""

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        raise AssertionError(papers)


def test_where_nothing_was_retrieved_no_model_is_asked() -> None:
    stage = RerankCascade(CrossEncoder(Unloaded(), BY_ANSWER), NoSecondLook(), top_k=12, first_k=1, bars=BARS)
    assert stage(asked(), Hits()) == Ranking((), {})


@pytest.mark.parametrize("stage", [RetrievedOrder(), cascade(Logits(), likelier())])
def test_nothing_retrieved_is_final(stage: RerankCascade | RetrievedOrder) -> None:
    first = stage.first_pass(asked(), Hits())
    assert first.is_final
    assert titles(stage.complete(first)) == []
