"""Denials: a sentence may neither add one nor drop one that its evidence makes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.terms import STOPWORDS, stem, words

_NEGATION = frozenset(
    "not no never without cannot neither nor none unable fail fails failed lack lacks lacking hardly"
    " barely rarely nothing nobody".split()
)
_PRIVATION = frozenset("without no none neither nor lack lacks lacking hardly".split())
# Evidence may deny in other words than the sentence does.
_DENIAL = _NEGATION | frozenset(
    "missing absent absence eliminate eliminates eliminating eliminated avoid avoids avoiding prevent"
    " prevents ineffective insufficient inaccessible unavailable impossible struggle struggles free"
    " remove removes removing unlike instead rather difficult failing failure failures scarce".split()
)
_NOT_ONLY = re.compile(r"\bnot (?:only|just|merely|solely|necessarily)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:!?()\n]+(?=\s|$)|\n|[()]|\s[-–—]+\s|—")


def _denies(word: str, denials: frozenset[str]) -> bool:
    return word in denials or word.endswith("n't")


def negation_differs(sentence: str, evidence: str) -> bool:
    """True when the sentence denies what the evidence does not, or drops a denial it does make.

    A denial counts as dropped when what it denies, in one clause of the evidence, stands in a sentence
    without any negation.
    """
    said = words(_NOT_ONLY.sub(" ", sentence))
    plain = _NOT_ONLY.sub(" ", evidence)
    if any(_denies(word, _NEGATION) for word in said):
        undenied = not any(_denies(word, _DENIAL) for word in words(plain))
        return undenied or _denies_what_is_told(_NOT_ONLY.sub(" ", sentence), plain)
    own = {stem(word) for word in said}
    return not any(word in _DENIAL for word in said) and any(
        all(part in own for part in scope)
        for clause in _CLAUSE.split(plain)
        for scope in _denied(words(clause))
    )


def _denies_what_is_told(sentence: str, evidence: str) -> bool:
    """True when what a clause of the sentence denies stands undenied in the evidence."""
    clauses = [words(clause) for clause in _CLAUSE.split(evidence)]
    for clause in _CLAUSE.split(sentence):
        for scope in _denied(words(clause)):
            telling = [told for told in clauses if set(scope) <= {stem(word) for word in told}]
            if telling and not any(_denies(word, _DENIAL) for told in telling for word in told):
                return True
    return False


def _denied(clause: list[str]) -> Iterator[list[str]]:
    """For each denial of a clause, stems of what it denies: two content words after it.

    'Without', 'no' and 'lack' mostly tell what others miss, so there, and where only one word follows,
    the content word before is part of it: who goes without.
    """
    for i, word in enumerate(clause):
        if _denies(word, _NEGATION):
            before = [stem(w) for w in clause[:i] if w not in STOPWORDS][-1:]
            after = [stem(w) for w in clause[i + 1 :] if w not in STOPWORDS][:2]
            scope = after + before if word in _PRIVATION or len(after) < 2 else after
            if after and len(scope) > 1:
                yield scope
