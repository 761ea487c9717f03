"""Names in a text, as written: 'GPT-4', 'LoRA', 'R-Tuning'."""

from __future__ import annotations

import re

from rag.text.terms import STOPWORDS, fold, term_set, words

# A name: has an inner capital, a digit, or is an acronym; or is capitalised inside a sentence.
_TOKEN = re.compile(r"[^\W_](?:[\w.+-]*[^\W_+])?\+*", re.UNICODE)
_MARKED = re.compile(r"[A-Z].*[A-Z]|[a-z].*[A-Z]|[A-Za-z].*\d|\d.*[A-Za-z]")


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


def missing_names(question: str, text: str) -> float:
    """Share of the names in the question that do not occur in the text; 0 when it mentions none."""
    names = names_in(question)
    if not names:
        return 0.0
    known = term_set(text) | frozenset(words(text))
    absent = [name for name in names if not known & (term_set(name) | set(words(name)))]
    return len(absent) / len(names)
