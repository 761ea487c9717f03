"""Conversations as files: what is in them, and that poisoned papers cannot break them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import bibtexparser
import pytest
from chat_assistant import CARRYING, HOSTILE, PAPERS, answer_to

from rag.types import Failure, Paper
from rag.ui.export import cited_papers, to_bibtex, to_json, to_markdown, to_ris
from rag.ui.state.conversation import Exchange
from rag.ui.state.plain_text import plain_answer

AT = "2026-01-02 03:04 UTC"
POISONED_TITLES = [
    "A} @article{evil, title={gotcha",
    "Ends with a backslash \\",
    'Quotes " and {one brace',
    "50% of $x_1$ & #1 ~ ^ _",
    "line\nER  - \nTY  - JOUR\r\nTI  - forged",
    HOSTILE,
    "\u202egnitirw\x00 control \x1b[31m",
    "}}}{{{",
]


def said(question: str, number: int = 1) -> Exchange:
    return Exchange(number, question, answer_to(question))


def test_what_is_copied_is_the_answer_with_its_sources():
    assert plain_answer(answer_to("How much?")) == (
        "Mixer reaches 9.1x higher throughput at 4K [1].\n\n"
        "[1] Mixer: a Layer in Linear Time (2023) https://arxiv.org/abs/1"
    )
    assert plain_answer(answer_to("France?")) == "Nothing in this collection bears on it."


def test_json_holds_the_public_answers():
    exchanges = [said("How much?"), Exchange(2, "q", None, Failure("Stopped", "You stopped.", ""))]
    told = json.loads(to_json("T", exchanges, AT))
    assert told["exchanges"][0]["answer"] == json.loads(json.dumps(answer_to("How much?").to_dict()))
    assert told["exchanges"][1] == {
        "question": "q", "answer": None, "failure": "You stopped.", "verdict": None,
    }  # fmt: skip


def test_markdown_reads_from_question_to_evidence():
    page = to_markdown("T", [said("How much?"), said("France?", 2), said("What of it now?", 3)], AT)
    assert page.startswith("# T\n\n*Exported from Citewise, 2026\\-01\\-02 03:04 UTC*\n\n## How much?\n")
    assert "**Answered** (confidence 0.91)" in page
    assert "> It reaches 9.1x higher throughput" in page.replace("\\", "")
    assert "**Not in this collection**" in page
    assert "Closest papers: Mixer: a Layer in Linear Time; Attention" in page
    assert "*Read as: What of Mixer now?*" in page


def test_poisoned_markdown_has_no_link_image_element_or_heading_of_its_own():
    page = to_markdown(HOSTILE, [said(f"hostile\n# forged\n{HOSTILE}")], AT)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", page)
    assert not re.search(r"[<>\[\]`|]", bare.replace("\n> ", "\n"))
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        line for line in page.splitlines() if line.startswith(("# \\<script", "## hostile"))
    ]


def test_each_cited_paper_comes_once_in_order_of_use():
    papers = cited_papers([said("How much?"), said("hostile", 2), said("How fast?", 3), said("France?", 4)])
    assert [paper.paper_id for paper in papers] == ["p1", "p9"]
    assert papers[0] == PAPERS[0]
    lone = replace(answer_to("How much?"), passages=())
    assert cited_papers([Exchange(1, "q", lone)])[0].title == "Mixer: a Layer in Linear Time"


def test_bibtex_is_read_back():
    paper = Paper("x", "Ångström {B} layers", "", 2021, "https://a.b/c?d=e&f=1", "NeurIPS",
                  ("Ada Lovelace", "Smith and Sons", "Curie, Marie"))  # fmt: skip
    entry = bibtexparser.parse_string(to_bibtex([paper])).entries[0]
    assert (entry.entry_type, entry.key) == ("misc", "lovelace2021angstrom")
    fields = {field.key: field.value for field in entry.fields}
    assert fields == {
        "title": r"{Ångström \textbraceleft{}B\textbraceright{} layers}",
        "author": "Ada Lovelace and {Smith and Sons} and Curie, Marie",
        "year": "2021",
        "howpublished": "NeurIPS",
        "url": "https://a.b/c?d=e&f=1",
    }


@pytest.mark.parametrize("title", POISONED_TITLES)
def test_no_title_breaks_bibtex_or_ris(title):
    url = "https://evil.invalid/}\n@book{x, title={y}}"
    papers = [Paper("a", title, title, 2020, url, title, (title, "B. Good")), PAPERS[0]]
    library = bibtexparser.parse_string(to_bibtex(papers))
    assert len(library.entries) == 2
    assert library.failed_blocks == []
    assert library.entries[1].fields_dict["title"].value == "{Mixer: a Layer in Linear Time}"
    made = to_bibtex(papers)
    assert made.count("{") == made.count("}")
    records = to_ris(papers).replace("\r\n", "\n")
    assert re.findall("^TY  - .*", records, re.M) == ["TY  - GEN"] * 2
    assert re.findall("^ER  - $", records, re.M) == ["ER  - "] * 2
    assert all(re.match("[A-Z][A-Z0-9]  - |$", line) for line in records.split("\n"))
    assert not re.search("[\0-\x08\x0b-\x1f\u202e]", made + records)


def test_keys_are_unique_and_addresses_are_web_addresses():
    papers = [Paper(str(i), "Same Title", "", url=url) for i, url in enumerate(("javascript:x", "http://["))]
    made = to_bibtex(papers)
    assert re.findall(r"@misc\{(\S+),", made) == ["same", "same-2"]
    assert "url" not in made
    assert "UR  -" not in to_ris(papers)


def test_ris_holds_what_managers_read():
    record = to_ris([PAPERS[0]])
    assert record.startswith(
        "TY  - GEN\r\nTI  - Mixer: a Layer in Linear Time\r\nPY  - 2023\r\nT2  - NeurIPS\r\n"
    )
    assert "9.1x higher throughput" in record
    assert CARRYING not in record  # cleaned, as it is shown
