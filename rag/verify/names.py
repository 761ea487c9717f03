"""Names that a sentence has and its evidence has not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.names import names_in
from rag.text.numbers import quantities
from rag.text.terms import STOPWORDS, fold, stem, term_set, words

_SUBJECT = re.compile(r"[\"'“]?([A-Z][a-z]{2,})\s+(?:is|was|has|can|could|does|did|[a-z]+(?:s|ed))\b")
_EVERYDAY = re.compile(r"(?:ing|ed|ly|s|ion|ment|er|al|ive|ity|ance|ence)$")


def unsupported_names(sentence: str, evidence: str) -> tuple[str, ...]:
    """The names of the sentence that do not occur in the evidence (its title included by the caller).

    An acronym is held by the words it stands for, and a capitalised word by the acronym it is part of.
    """
    known = term_set(evidence) | frozenset(words(evidence))
    squeezed = _squeezed(evidence)
    initials = " ".join(_initials(evidence))
    long_forms = _long_forms(sentence, evidence)
    missing = list(_invented_subject(sentence, known))
    for name in names_in(sentence):
        if name[0].isdigit() and quantities(name):  # '9.1x' and '1.3B' are numbers
            continue
        parts = [part for part in words(name) if part not in STOPWORDS]
        if all(part in known or stem(part) in known for part in parts) or name in long_forms:
            continue
        if not _held(name, squeezed, initials):
            missing.append(name)
    return tuple(missing)


def _invented_subject(sentence: str, known: frozenset[str]) -> Iterator[str]:
    """A capital at the start says nothing, but 'Zorblax reaches' does: an unknown word, then a verb.

    Words with an everyday ending (Training, Recently, Authors) are let through.
    """
    subject = _SUBJECT.match(sentence)
    if subject:
        word = subject[1].casefold()
        ordinary = word in STOPWORDS or _EVERYDAY.search(word)
        if not ordinary and word not in known and stem(word) not in known:
            yield subject[1]


def _held(name: str, squeezed: str, initials: str) -> bool:
    """Whether the evidence has the name in another spelling: 'GPT4', 'LLM' for 'LLMs', spelled out."""
    for form in (name, re.sub(r"(?<=[A-Z])s$|['’]s$", "", name)):
        if _squeezed(form) in squeezed:
            return True
        if form.isupper() and len(form) > 1 and form.isalpha() and form.casefold() in initials:
            return True
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text))


def _initials(text: str) -> Iterator[str]:
    """The first letters of the words of each clause: 'Large language models' -> 'llm'."""
    for clause in re.split(r"[.,;:!?()\n]", fold(text)):
        yield "".join(word[0] for word in re.findall(r"[a-z]+", clause))


def _long_forms(sentence: str, evidence: str) -> frozenset[str]:
    """Capitalised words of the sentence whose initials are an acronym of the evidence."""
    acronyms = set(re.findall(r"\b[A-Z]{2,6}\b", evidence))
    found: set[str] = set()
    for run in re.findall(r"\b[A-Z][a-z]+(?:[\s-][A-Z][a-z]+)+", sentence):
        parts = re.split(r"[\s-]", run)
        if "".join(part[0] for part in parts) in acronyms:
            found |= {run, *parts, "-".join(parts)}
    return frozenset(found)
