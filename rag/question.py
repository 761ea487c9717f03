"""What a question asks for, read off its words: the kind of answer, a number, the names it mentions.

Pure functions on text; no model. The kinds decide how many papers an answer draws on.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from rag.terms import STOPWORDS, fold, words

Kind = Literal["fact", "find", "compare", "collect"]

_WORKS = r"(?:papers|works|studies|articles|publications|preprints)"
_MANY = r"(?:methods|approaches|techniques|systems|datasets|benchmarks|frameworks)"
_COLLECT = re.compile(
    rf"\b(?:which|what|list|any|all|find|show|name|are there|whose|collect|summari[sz]e)\b"
    rf"[^.?!]{{0,30}}\b{_WORKS}\b"
    rf"|^\s*(?:recent |other )?(?:{_WORKS}|{_MANY})\b (?:on|about|for|that|which|using|classifying|adapting|with)\b"
    rf"|^\s*(?:list|collect|give me|show me)\b[^?]*\b{_MANY}\b"
    rf"|\b(?:what|which) {_MANY} (?:have|has|address|deal|tackle|study|exist|are there|did people)\b"
    rf"|^\s*any (?:works?|research|papers?|methods?|approach(?:es)?)\b",
    re.IGNORECASE,
)
_FIND = re.compile(
    r"\b(?:which|what)\s+(?:[\w-]+\s+){0,3}(?:paper|work|study|article|publication|preprint)\b(?!s)"
    r"|\b(?:looking for|find|recall|remember|name)\b[^.?!]{0,40}\b(?:paper|work|study|article)\b"
    r"|\bwho (?:proposed|introduced|presented|developed|wrote)\b"
    r"|\b(?:paper|work|study|article) (?:is|was) (?:it|that|this)\b",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\b(?:compare[sd]?|comparison|versus|vs\.?|differ(?:s|ences?|ent)?\s+(?:between|from)"
    r"|difference between|contrast|in common|as opposed to)\b"
    r"|\bhow (?:do|does|did) .+ and .+ (?:differ|each|both)\b|\b(?:both|each) .+ and .+\bwhat\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\bhow (?:many|much|large|big|long|far|high|few|often|small|fast|accurate|well does .* score)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:percentage|percent|fraction|share|score|accuracy|number|size"
    r"|factor|proportion|rate|speedup|speed-up|amount|parameter count|ratio)\b"
    r"|\bby what\b|\bby how\b|\bhow .{0,12}(?:faster|better|higher|lower|fewer|smaller|larger|less)\b",
    re.IGNORECASE,
)
# A name: has an inner capital, a digit, or is an acronym; or is capitalised inside a sentence.
_TOKEN = re.compile(r"[^\W_](?:[\w.+-]*[^\W_+])?\+*", re.UNICODE)
_MARKED = re.compile(r"[A-Z].*[A-Z]|[a-z].*[A-Z]|[A-Za-z].*\d|\d.*[A-Za-z]")


def kind_of(question: str) -> Kind:
    """Compare before collect before find; everything else asks for a fact."""
    if _COMPARE.search(question):
        return "compare"
    if _COLLECT.search(question):
        return "collect"
    if _FIND.search(question):
        return "find"
    return "fact"


def asks_for_number(question: str) -> bool:
    """True for 'how many', 'by what factor', 'what accuracy' and their kin."""
    return _NUMBER.search(question) is not None


def names_in(text: str) -> tuple[str, ...]:
    """Names as written, in order, without repeats: 'GPT-4', 'LoRA', 'R-Tuning', 'Mixer'.

    A capital at the start of a sentence says nothing, so such a word counts only when it is marked
    otherwise: an acronym, a digit, an inner capital.
    """
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!?:])\s+", text):
        for i, token in enumerate(_TOKEN.findall(sentence)):
            if fold(token) in STOPWORDS or not any(c.isalpha() for c in token):
                continue
            if _MARKED.search(token) or (token[0].isupper() and i > 0 and len(token) > 1):
                found.append(token)
    return tuple(dict.fromkeys(found))


def is_blank(question: str) -> bool:
    """True when a question holds no letter and no digit: empty, emoji only, punctuation only."""
    return not any(c.isalnum() for c in question)


def normalise(question: str, *, chars_max: int) -> str:
    """NFC, control and bidirectional characters out, lone surrogates replaced, cut at a word.

    Cutting is visible: the answer carries the shortened `standalone_question`.
    """
    text = question.encode("utf-8", "replace").decode("utf-8")
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} else c for c in text)
    text = " ".join(text.split())
    if len(text) <= chars_max:
        return text
    return text[:chars_max].rsplit(" ", 1)[0]


def focus_words(question: str) -> tuple[str, ...]:
    """The content words of a question, folded, in order, without repeats."""
    return tuple(dict.fromkeys(word for word in words(question) if word not in STOPWORDS))
