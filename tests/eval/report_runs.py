"""Runs for the tests of the report: hostile in every string, one right, one wrong, one refused."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from eval_rows import cite, gold, say

from eval.measure.results import RunResults, collect
from eval.measure.stamps import stamp_of
from rag.settings import Settings
from rag.types import (
    Abstention,
    Answer,
    DroppedSentence,
    Evidence,
    Paper,
    Passage,
    Question,
    Timings,
    Trace,
    Turn,
)

HOSTILE = (
    '"><script>window.hurt=1</script><img src=x onerror=window.hurt=1>'
    "<style>*{display:none}</style></details></main>' onclick='window.hurt=1 \u202e http://evil.invalid/"
)
PAPER = Paper("h", f"Title {HOSTILE}", f"It is 5% better. {HOSTILE}")


def run(name: str = "full", *, right: bool = True) -> RunResults:
    """A run over three questions; the second run of a pair has nothing right."""
    must = "5%" if right else "6%"
    asked = replace(
        gold(PAPER.title, evidence=[(PAPER.title, "It is 5% better.")], must=[(must,)], answer=HOSTILE),
        type=f"fact {HOSTILE}",
        question=Question(f"Why {HOSTILE}?", (Turn("user", HOSTILE),), f"q1 {HOSTILE}"),
    )
    answer = Answer(
        question=asked.question.text,
        standalone_question=f"Read as {HOSTILE}",
        status="answered",
        text=f"It is 5% better. {HOSTILE}\n{HOSTILE}",
        confidence=0.8,
        sentences=(say(f"It is 5% better. {HOSTILE}", 1),),
        citations=(cite(1, PAPER, "It is 5% better."),),
        passages=(Passage(PAPER, 1, 1.0),),
        timings=Timings(0.1, 0.0, 0.5, 0.01, 0.61),
        trace=Trace(
            draft=HOSTILE,
            evidence=(Evidence(1, PAPER, 0, 16, 0.7),),
            dropped=(DroppedSentence(HOSTILE, HOSTILE, 0.1),),
        ),
    )
    missed = replace(asked, question=Question("Missed?", id="q2"), must=(("never",),), type="find")
    far = replace(gold(type="far", answerable=False), question=Question("Far?", id="q3"))
    declined = Answer("Far?", "Far?", "abstained", "Nothing.", 0.1, abstention=Abstention("no_evidence", ""))
    rows = [(asked, answer), (missed, replace(answer, question="Missed?")), (far, declined)]
    golds = [one for one, _ in rows]
    stamp = stamp_of(name, "f" * 16, golds, settings=Settings.load(), split=HOSTILE, date="2026-01-02")
    return collect(rows, stamp)


VOID = {"meta", "input", "br", "path", "circle", "rect", "polyline"}


class Reading(HTMLParser):
    """Elements, attributes and shown text; fails on elements that do not close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.shown.append(data)
