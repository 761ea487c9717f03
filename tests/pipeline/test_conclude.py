"""From drafts to an answer, on evidence written by hand (with an index: test_pipeline.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes import ConstantVerifier, FakeReader, texts_of

from rag.evidence.answerability import AnswerConfidence
from rag.models.logistic import LogisticModel
from rag.pipeline.conclude import Conclusion, outcome_of
from rag.pipeline.pipeline import findings_of
from rag.settings import Settings
from rag.types import (
    Abstention,
    Answer,
    Draft,
    Evidence,
    Kind,
    Paper,
    Passage,
    PreparedQuestion,
    Question,
    Relevance,
    Sentence,
)
from rag.verify.grounding import Finding, Grounded, Verification

ONE = Paper("1", "First", "Alpha speeds reach 5 percent. Beta speeds reach 6 percent.")
TWO = Paper("2", "Second", "Delta speeds reach 7 percent.")
ALPHA, BETA = Evidence(1, ONE, 0, 29, 0.9), Evidence(1, ONE, 30, 58, 0.5)
DELTA = Evidence(2, TWO, 0, 29, 0.8)


def prepared(kind: Kind = "fact", *evidence: Evidence, telling: float | None = None) -> PreparedQuestion:
    """`telling`: what the reader says of the first paper; None where it was not asked."""
    passages = (Passage(ONE, 1, 0.9), Passage(TWO, 2, 0.8))
    question = Question("What do they reach?", id="q")
    return PreparedQuestion(
        question,
        "What do the speeds reach?",
        kind,
        passages,
        evidence,
        0.75,
        texts=texts_of(ONE, TWO),
        readings={"1": Relevance(0.0, 0.0, (), 9.0, telling), "2": Relevance(0.0, 0.0, (), 9.0, 7.0)},
    )


BEFORE = LogisticModel(0.0, {"prior": 1.0})
UNCHANGED = AnswerConfidence(BEFORE, BEFORE)
READ = AnswerConfidence(LogisticModel(0.0, {"prior": 1.0, "telling": 0.5, "right": 0.25}), BEFORE)


def concluded(
    item: PreparedQuestion,
    *drafts: str,
    support: float = 1.0,
    final: AnswerConfidence = UNCHANGED,
    right: float | None = None,
    summary: Sequence[Sentence] = (),
    **settings: object,
) -> Answer:
    """A draft a paper, in the order of keys; `right`: log-odds that the reader gives to what stood."""
    bars = {"support_min": 0.7, "quote_relative_min": 0.6, "quote_sentences_max": 3, "confident_min": 0.0}
    known = Settings.load(**{**bars, **settings})
    parts = [item.of_paper(key) for key in dict.fromkeys(e.key for e in item.evidence)]
    told = [
        Draft(text, part, item.texts[part[0].paper.paper_id])
        for text, part in zip(drafts, parts, strict=False)
    ]
    judge = None if right is None else FakeReader(lambda _: (0.0, right, 0.0))
    checked = Verification(ConstantVerifier(support), known.support_min, judge)(item.standalone, told)
    conclude = Conclusion(
        final,
        confident_min=known.confident_min,
        quote_relative_min=known.quote_relative_min,
        quote_sentences_max=known.quote_sentences_max,
    )
    return conclude(item, told, checked, summary)


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


ALPHA_STOOD = "Alpha reaches 5 percent."
SEVERAL = [Sentence("Alpha reaches 5 and Delta 7 percent.", (1, 2), 0.9)]


def test_a_summary_of_several_papers_stands_before_a_line_of_each() -> None:
    answer = concluded(
        prepared("compare", ALPHA, DELTA), ALPHA_STOOD, "Delta reaches 7 percent.", summary=SEVERAL
    )
    assert (answer.status, answer.text) == (
        "answered",
        "Alpha reaches 5 and Delta 7 percent [1][2].\n"
        "- First: Alpha reaches 5 percent [1].\n- Second: Delta reaches 7 percent [2].",
    )
    assert [s.citations for s in answer.sentences] == [(1, 2), (1,), (2,)]
    assert [[q.text for q in c.quotes] for c in answer.citations] == [[ALPHA.text], [DELTA.text]]


@pytest.mark.parametrize(
    ("telling", "right", "sure"),
    [
        # prior 0.75 is log-odds ln 3 = 1.0986; telling counts half, right a quarter
        (None, None, 0.75),
        (-4.0, None, 0.2888),  # 1.0986 - 2 = -0.9014
        (2.0, -8.0, 0.5247),  # 1.0986 + 1 - 2 = 0.0986
        (2.0, 4.0, 0.9568),  # 1.0986 + 1 + 1 = 3.0986
    ],
)
@pytest.mark.parametrize("confident_min", [0.0, 0.6])
def test_the_word_of_the_reader_counts_where_it_was_asked(
    telling: float | None, right: float | None, sure: float, confident_min: float
) -> None:
    answer = concluded(
        prepared("fact", ALPHA, telling=telling),
        ALPHA_STOOD,
        right=right,
        final=READ,
        confident_min=confident_min,
    )
    assert answer.confidence == pytest.approx(sure, abs=1e-4)
    assert answer.status == ("answered" if sure >= confident_min else "abstained")
    assert answer.trace.draft == ALPHA_STOOD
    assert answer.trace.signals["prior"] == pytest.approx(1.0986, abs=1e-4)
    assert answer.trace.signals.get("telling") == telling
    if answer.abstention:
        assert answer.abstention.reason == "low_confidence"
        assert answer.abstention.closest == ("First", "Second")


@pytest.mark.parametrize(("prior", "doubts"), [(0.5, False), (0.49, True)])
def test_an_answer_that_is_not_sure_says_why(prior: float, doubts: bool) -> None:
    answer = concluded(replace(prepared("fact", ALPHA), confidence=prior), ALPHA_STOOD)
    assert answer.confidence == pytest.approx(prior)
    assert (answer.doubt == "The papers found fit the question only in part.") == doubts
    assert bool(answer.doubt) == doubts
    refused = concluded(replace(prepared("fact", ALPHA), confidence=prior), ALPHA_STOOD, confident_min=0.9)
    assert (refused.status, refused.doubt) == ("abstained", "")


def stood(key: int, text: str, support: float = 0.8) -> Sentence:
    return Sentence(text, (key,), support)


def signals_of(
    item: PreparedQuestion, checked: Sequence[Grounded]
) -> tuple[float, float | None, float | None]:
    found = outcome_of(item, checked)
    return found.support, found.telling, found.right


def test_the_outcome_is_of_the_first_papers_reading_and_of_the_surest_draft() -> None:
    checked = [
        Grounded((stood(1, "Alpha.", 0.7), stood(1, "Beta.", 0.9)), (), right=-1.0),
        Grounded((stood(2, "Delta.", 0.8),), (), right=2.0),
        Grounded((), ()),
    ]
    assert signals_of(prepared("compare", ALPHA, DELTA, telling=-3.0), checked) == (0.9, -3.0, 2.0)
    # the first paper is that of key 1, wherever its best sentence stands
    assert signals_of(prepared("compare", DELTA, ALPHA, telling=-3.0), []) == (0.0, -3.0, None)
    assert signals_of(prepared("fact", DELTA, telling=-3.0), []) == (0.0, 7.0, None)
    assert signals_of(prepared("fact", ALPHA), checked[2:]) == (0.0, None, None)
    assert signals_of(replace(prepared("fact", ALPHA), readings={}), []) == (0.0, None, None)
    assert signals_of(prepared("fact"), []) == (0.0, None, None)


def test_findings_are_what_stood_a_paper_each_in_the_order_of_keys() -> None:
    checked = [
        Grounded((stood(2, "Delta reaches 7."),), ()),
        Grounded((stood(1, "Alpha reaches 5."), stood(1, "Beta reaches 6.")), ()),
    ]
    assert findings_of(prepared("compare", DELTA, ALPHA), checked) == [
        Finding(1, "First", "Alpha reaches 5. Beta reaches 6."),
        Finding(2, "Second", "Delta reaches 7."),
    ]
    assert findings_of(prepared("compare", DELTA, ALPHA), [Grounded((), ())]) == []
