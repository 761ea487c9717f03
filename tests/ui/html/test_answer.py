"""What is told of an answer, before a template lays it out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_assistant import ABSTRACT, CARRYING, answer_to

from rag.text.clean import clean
from rag.types import Citation, Quote, Sentence, StageStarted
from rag.ui.html.answer import StatusLine, pending_html, status_line
from rag.ui.html.citations import answer_html
from rag.ui.html.evidence import Span, meta, spans_of
from rag.ui.state.conversation import Pending

START = ABSTRACT.index(CARRYING)


def test_status_and_confidence_in_words():
    assert status_line(answer_to("How much?"))[2:] == ("Confidence", "high · 0.91")
    assert status_line(answer_to("quote it")).label == "Quoted"
    assert status_line(answer_to("France?")) == StatusLine(
        "Not in this collection", "no evidence", "Chance that these papers answer it", "low · 0.03"
    )


def test_an_abstract_is_cut_where_a_quote_begins_and_ends():
    before, quoted, after = spans_of(ABSTRACT, [Quote(CARRYING, START, START + len(CARRYING))])
    assert quoted == Span(clean(CARRYING), quoted=True)
    assert before.text + quoted.text + after.text == clean(ABSTRACT)
    assert spans_of("All of it.", ()) == [Span("All of it.", quoted=False)]


def test_overlapping_quotes_are_marked_once():
    quotes = [Quote("", 0, 4), Quote("", 2, 6)]
    assert spans_of("abcdefgh", quotes) == [
        Span("", quoted=False),
        Span("abcd", quoted=True),
        Span("", quoted=False),
        Span("ef", quoted=True),
        Span("gh", quoted=False),
    ]


@pytest.mark.parametrize(("authors", "told"), [(2, "A0, A1"), (3, "A0, A1, A2"), (4, "A0, A1, A2 et al.")])
def test_three_authors_are_named(authors, told):
    paper = replace(answer_to("How?").passages[1].paper, authors=tuple(f"A{i}" for i in range(authors)))
    assert meta(paper).unescape() == f'<div class="cw-meta">{told} · 2021</div>'


def test_two_marks_behind_a_sentence_and_one_that_leads_nowhere():
    answer = answer_to("How much?")
    text = "It is fast [1] [7]."
    page = answer_html(replace(answer, text=text, sentences=()), 3).unescape()
    assert '<a class="cw-cite cw-s0" href="#cw-3-1">[1]</a> [7].' in page


def test_what_several_papers_say_is_a_row_a_paper_below_what_they_say_together():
    answer = answer_to("How much?")
    first = replace(answer.citations[0], key=1, title="Mixer <b>")
    second = Citation(2, "p2", "Attention", (Quote("Attention is slow.", 0, 18),))
    said = (
        Sentence("Mixer is fast, attention slow.", (1, 2), 0.5),
        Sentence("It is 9.1x faster.", (1,), 0.9),
        Sentence("Attention is slow.", (2,), 1.0),
    )
    told = replace(answer, citations=(first, second), sentences=said)
    page = answer_html(told, 3)
    together, _, table = page.unescape().partition("<table")
    assert "Mixer is fast, attention slow " in together
    assert ">[1]</a>" in together
    assert ">[2]</a>" in together
    rows = table.partition("<tbody>")[2].split("<tr>")[1:]
    assert len(rows) == 2
    assert "Mixer <b>" in rows[0]
    assert '<a class="cw-cite cw-s90" href="#cw-3-1">[1]</a>' in rows[0]
    assert f"<q>{clean(CARRYING)}</q>" in rows[0]
    assert "Attention is slow" in rows[1]
    assert "<q>" not in rows[1]  # its words are what it says
    alone = replace(told, sentences=said[:2], text="It is 9.1x faster [1].")
    assert "<b>" not in str(page)  # as text, not as markup
    assert "<table" not in answer_html(alone, 3)


def test_the_last_stage_is_the_one_that_runs_or_waits():
    pending = Pending("q")
    assert '<span class="cw-now">starting</span>' in pending_html(pending)
    pending.take(StageStarted("searching", 0.0))
    pending.take(StageStarted("writing", 0.5))
    assert '<span class="cw-done">searching 0.5 s</span><span class="cw-now">writing' in pending_html(pending)
    pending.waiting = "2 before you"
    assert '<span class="cw-now">2 before you</span></div>' in pending_html(pending)
