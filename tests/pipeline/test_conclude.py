"""From drafts to an answer, on evidence written by hand (with an index: test_pipeline.py)."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes import ConstantVerifier

from rag.evidence.answerability import AnswerConfidence, final_features
from rag.generate.drafts import Quoting, evidence_of_drafts
from rag.generate.prompt import ChatPrompt, ReaderPrompt
from rag.models.logistic import LogisticModel
from rag.pipeline.conclude import Conclusion
from rag.settings import Settings
from rag.types import (
    Abstention,
    Answer,
    Draft,
    DraftOutcome,
    Evidence,
    Kind,
    Paper,
    Passage,
    PreparedQuestion,
    Question,
)
from rag.verify.grounding import Verification

ONE = Paper("1", "First", "Alpha speeds reach 5 percent. Beta speeds reach 6 percent.")
TWO = Paper("2", "Second", "Delta speeds reach 7 percent.")
ALPHA, BETA = Evidence(1, ONE, 0, 29, 0.9), Evidence(1, ONE, 30, 58, 0.5)
DELTA = Evidence(2, TWO, 0, 29, 0.8)


def prepared(kind: Kind = "fact", *evidence: Evidence) -> PreparedQuestion:
    passages = (Passage(ONE, 1, 0.9), Passage(TWO, 2, 0.8))
    question = Question("What do they reach?", id="q")
    return PreparedQuestion(question, "What do the speeds reach?", kind, passages, evidence, 0.75)


BEFORE = LogisticModel(0.0, {"prior": 1.0})
UNCHANGED = AnswerConfidence(BEFORE, BEFORE)
DECLINING = AnswerConfidence(LogisticModel(0.0, {"prior": 1.0, "declined": -2.0}), BEFORE)


def concluded(
    item: PreparedQuestion,
    *drafts: str,
    support: float = 1.0,
    final: AnswerConfidence = UNCHANGED,
    trained: bool = False,
    **settings: object,
) -> Answer:
    bars = {"support_min": 0.7, "quote_relative_min": 0.6, "quote_sentences_max": 3, "confident_min": 0.0}
    known = Settings.load(**{**bars, **settings})
    parts = evidence_of_drafts(item, gap_max=known.draft_gap_max)
    told = [Draft(text, tuple(part)) for text, part in zip(drafts, parts, strict=False)]
    checked = Verification(ConstantVerifier(support), known.support_min)(item.standalone, told)
    conclude = Conclusion(
        final,
        confident_min=known.confident_min,
        quote_relative_min=known.quote_relative_min,
        quote_sentences_max=known.quote_sentences_max,
    )
    prompt = ReaderPrompt() if trained else ChatPrompt()
    return conclude(item, told, checked, declined=prompt.declined(drafts))


def test_a_fact_is_drafted_from_the_paper_of_the_best_sentence_and_others_a_paper_at_a_time() -> None:
    evidence = (DELTA, ALPHA, BETA)
    assert evidence_of_drafts(prepared("fact", *evidence), gap_max=9.0) == [[DELTA]]
    assert evidence_of_drafts(prepared("fact", ALPHA, DELTA, BETA), gap_max=9.0) == [[ALPHA, BETA]]
    for kind in ("find", "compare", "collect"):
        assert evidence_of_drafts(prepared(kind, *evidence), gap_max=0.0) == [[DELTA], [ALPHA, BETA]]


@pytest.mark.parametrize(("gap_max", "told"), [(2.2, [ALPHA, BETA]), (2.19, [ALPHA])])
def test_unlikely_evidence_is_not_drafted_from(gap_max: float, told: list[Evidence]) -> None:
    # the log-odds of .9 are ln 9 = 2.197, those of .5 are 0
    assert evidence_of_drafts(prepared("fact", ALPHA, BETA), gap_max=gap_max) == [told]
    assert evidence_of_drafts(prepared("fact"), gap_max=gap_max) == [[]]


def test_an_abstention_is_passed_on() -> None:
    abstention = Abstention("low_confidence", "No.", ("First",))
    answer = concluded(replace(prepared(), abstention=abstention, confidence=0.25))
    assert (answer.status, answer.text, answer.abstention) == ("abstained", "No.", abstention)
    assert (answer.question, answer.standalone_question) == (
        "What do they reach?",
        "What do the speeds reach?",
    )
    assert (answer.confidence, len(answer.passages)) == (0.25, 2)
    assert (answer.sentences, answer.citations) == ((), ())


def test_a_fact_that_stood_is_not_followed_by_quotes() -> None:
    draft = "Delta reaches 7 percent [2]. Delta reaches 8 percent [2]."
    answer = concluded(prepared("fact", DELTA, ALPHA, BETA), draft)
    assert (answer.status, answer.text) == ("answered", "Delta reaches 7 percent [1].")
    assert [(c.key, c.paper_id) for c in answer.citations] == [(1, "2")]
    assert answer.trace.draft == draft
    assert answer.trace.evidence == (DELTA, ALPHA, BETA)
    assert [dropped.text for dropped in answer.trace.dropped] == ["Delta reaches 8 percent."]


@pytest.mark.parametrize("drafts", [(), ("",), ("Alpha reaches 8 percent [1].",)])
def test_a_fact_of_which_nothing_stood_is_quoted_from_the_paper_of_the_best_sentence(
    drafts: tuple[str, ...],
) -> None:
    answer = concluded(prepared("fact", ALPHA, DELTA, BETA), *drafts)
    assert (answer.status, answer.text) == ("quoted", "First: “Alpha speeds reach 5 percent.” [1]")
    assert [[quote.text for quote in c.quotes] for c in answer.citations] == [[ALPHA.text]]


def test_the_bars_are_those_of_the_settings() -> None:
    item, draft = prepared("fact", ALPHA, BETA, DELTA), "Alpha reaches 5 percent [1]."
    assert concluded(item, draft, support=0.7).status == "answered"
    assert concluded(item, draft, support=0.69).status == "quoted"
    assert len(concluded(item, quote_relative_min=0.0).sentences) == 2
    assert len(concluded(item, quote_sentences_max=1).sentences) == 1


def test_of_several_papers_the_untold_are_quoted_in_their_place() -> None:
    drafts = ("Alpha reaches 8 percent [1].", "Delta reaches 7 percent [1].")
    answer = concluded(prepared("compare", ALPHA, BETA, DELTA), *drafts)
    assert answer.status == "answered"
    assert answer.text == "- First: Alpha speeds reach 5 percent [1].\n- Second: Delta reaches 7 percent [2]."
    assert answer.trace.draft == "\n".join(drafts)
    assert len(answer.trace.dropped) == 1


def test_drafts_and_evidence_belong_together_in_the_order_of_keys() -> None:
    """Each draft may rest on its own paper only."""
    drafts = ("Delta reaches 7 percent [1].", "Alpha reaches 5 percent [1].")
    answer = concluded(prepared("collect", ALPHA, DELTA), *drafts)
    assert answer.status == "quoted"
    assert len(answer.trace.dropped) == 2
    answer = concluded(prepared("collect", ALPHA, DELTA), *drafts[::-1])
    assert (answer.status, answer.trace.dropped) == ("answered", ())
    assert [c.paper_id for c in answer.citations] == ["1", "2"]


@pytest.mark.parametrize(("trained", "status"), [(True, "abstained"), (False, "quoted")])
def test_the_word_of_a_reader_trained_to_decline_counts(trained: bool, status: str) -> None:
    # prior 0.75 is log-odds 1.0986; minus 2 for declining: 1 / (1 + exp(0.9014)) = 0.2888
    answer = concluded(
        prepared("fact", ALPHA), "Not in the evidence.", final=DECLINING, trained=trained, confident_min=0.3
    )
    assert answer.status == status
    assert answer.confidence == pytest.approx(0.2888 if trained else 0.75, abs=1e-4)
    assert answer.trace.draft == "Not in the evidence."
    assert (answer.abstention is not None) == trained


def test_only_a_reader_that_was_asked_declines() -> None:
    refusal, answer = "Not in the evidence.", "Alpha reaches 5 percent."
    assert [ReaderPrompt().declined(d) for d in ([refusal], [refusal, answer], [])] == [True, False, None]
    assert [ChatPrompt().declined(d) for d in ([refusal], [])] == [None, None]
    assert Quoting().declined([]) is None


def test_where_nothing_was_written_only_the_probability_before_speaks() -> None:
    final = AnswerConfidence(LogisticModel(9.0, {"prior": 1.0}), BEFORE)
    outcome = DraftOutcome(declined=False, support=0.8)
    assert final_features(0.5, None) == {"prior": 0.0}
    assert final_features(0.5, outcome) == {"prior": 0.0, "declined": 0.0, "stood": 1.0, "support": 0.8}
    assert final.probability(0.5, None) == 0.5
    assert final.probability(0.5, outcome) == pytest.approx(1 / (1 + math.exp(-9.0)))
