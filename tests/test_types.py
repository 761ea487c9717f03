from __future__ import annotations

import dataclasses
import json
import re

import pytest

from rag import errors
from rag.errors import CitewiseError, IndexCorrupt, ModelMissing, PaperIndexError
from rag.types import (
    Abstention,
    Answer,
    Citation,
    Evidence,
    Failure,
    Finding,
    Paper,
    Passage,
    Quote,
    Sentence,
)

PAPER = Paper("p", "Title", "One. Two.", year=2024, url="https://x.org")
ANSWER = Answer(
    question="and?",
    standalone_question="And what?",
    status="answered",
    text="One [1].",
    confidence=0.123456,
    sentences=(Sentence("One.", (1,), 0.87654),),
    citations=(Citation(1, "p", "Title", (Quote("One.", 0, 4),), PAPER.url, PAPER.year),),
    passages=(Passage(PAPER, 1, 0.123456789),),
    fingerprint="f",
    id="7",
)


def test_evidence_is_the_stored_characters():
    assert Evidence(1, PAPER, 5, 9, 0.5).text == "Two."


def test_the_public_object():
    assert ANSWER.to_dict() == {
        "id": "7",
        "question": "and?",
        "standalone_question": "And what?",
        "status": "answered",
        "answer": "One [1].",
        "confidence": 0.1235,
        "doubt": "",
        "sentences": [{"text": "One.", "citations": [1], "support": 0.8765}],
        "citations": [
            {
                "key": 1,
                "paper_id": "p",
                "title": "Title",
                "url": "https://x.org",
                "year": 2024,
                "quotes": [{"text": "One.", "start": 0, "end": 4}],
            }
        ],
        "findings": [],
        "passages": [{"paper_id": "p", "title": "Title", "rank": 1, "score": 0.123457}],
        "abstention": None,
        "error": None,
        "timings": {
            "retrieve_s": 0.0,
            "first_token_s": 0.0,
            "generate_s": 0.0,
            "verify_s": 0.0,
            "total_s": 0.0,
        },
        "fingerprint": "f",
    }


def test_what_each_of_several_papers_says_stands_beside_what_they_say_together():
    second = dataclasses.replace(ANSWER.citations[0], key=2, paper_id="q", title="Other")
    said = [
        Sentence("One and two.", (1, 2), 0.9),
        Sentence("Two.", (2,), 0.9),
        Sentence("One.", (1,), 0.9),
        Sentence("Two again.", (2,), 0.9),
    ]
    answer = dataclasses.replace(ANSWER, sentences=tuple(said), citations=(*ANSWER.citations, second))
    assert answer.findings == (Finding(1, "Title", "One."), Finding(2, "Other", "Two. Two again."))
    assert answer.to_dict()["findings"][1] == {"key": 2, "title": "Other", "text": "Two. Two again."}
    assert dataclasses.replace(answer, sentences=(said[0], said[1], said[3])).findings == ()  # one paper's


def test_the_keys_stand_in_the_published_order():
    published = (
        "id question standalone_question status answer confidence doubt sentences citations findings passages"
        " abstention error timings fingerprint"
    )
    assert list(ANSWER.to_dict()) == published.split()
    assert json.loads(json.dumps(ANSWER.to_dict())) == ANSWER.to_dict()


def test_a_refusal_and_a_failure():
    refused = dataclasses.replace(ANSWER, abstention=Abstention("no_evidence", "Nothing.", ("Title",)))
    assert refused.to_dict()["abstention"] == {
        "reason": "no_evidence",
        "message": "Nothing.",
        "closest": ("Title",),
    }
    failed = dataclasses.replace(ANSWER, error=Failure("ModelMissing", "gone", "install"))
    assert failed.to_dict()["error"] == {"type": "ModelMissing", "message": "gone", "hint": "install"}


def test_url_and_year_are_left_out_when_unknown():
    bare = dataclasses.replace(ANSWER, citations=(Citation(1, "p", "Title", ()),))
    assert set(bare.to_dict()["citations"][0]) == {"key", "paper_id", "title", "quotes"}


def test_nouns_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.title = "other"  # type: ignore[misc]


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(r"^([│├└─ ]*)([A-Z]\w+)\b", str(errors.__doc__).partition("\n\n")[2], re.MULTILINE)
    path: list[str] = ["CitewiseError"]
    found = {}
    for lead, name in drawn:
        depth = len(lead) // 4
        path = [*path[:depth], name]
        if depth:
            found[name] = path[-2]
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert found == {
        cls.__name__: cls.__mro__[1].__name__ for cls in classes if cls not in (CitewiseError, Exception)
    }


@pytest.mark.parametrize("kind", [IndexCorrupt, ModelMissing])
def test_every_error_says_what_to_do(kind):
    error = kind("broken", hint="mend it")
    assert (error.message, error.hint, str(error)) == ("broken", "mend it", "broken")
    with pytest.raises(TypeError, match="hint"):
        kind("broken")


def test_one_except_catches_them_all():
    assert issubclass(IndexCorrupt, PaperIndexError)
    assert issubclass(PaperIndexError, CitewiseError)
