"""Two words that changed places: 'tuning helps A while training helps B' told the other way round. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.terms import STOPWORDS, stem, words

_SHARED_LEAST = 4  # words that both sentences hold once: of fewer the order says little
_SHARED_SHARE = 0.6  # of the words of the sentence
_APART = 2  # neighbours change places in many good paraphrases: 'effectiveness was demonstrated'
# What stands between the members of a list, whose order means nothing.
_OF_A_LIST = frozenset("and or the a an as well".split())
_PASSIVE = re.compile(r"\bby\b")


def exchanged_words(sentence: str, evidence: str) -> tuple[str, ...]:
    """Two words of the sentence that stand in each other's place in a sentence of the evidence.

    All others stand alike. Members of a list may change places, and so may who does and who is done to, in
    the passive.

    :param evidence: a title and sentences, one a line.
    """
    said = _content(sentence)
    for line in evidence.split("\n"):
        found = _exchanged(sentence, said, line)
        if found:
            return found
    return ()


def _exchanged(sentence: str, said: Sequence[str], line: str) -> tuple[str, ...]:
    told = _content(line)
    own = [word for word in said if said.count(word) == told.count(word) == 1]
    theirs = [word for word in told if word in own]
    if len(own) < max(_SHARED_LEAST, _SHARED_SHARE * len(set(said))):
        return ()
    moved = [place for place, (one, other) in enumerate(zip(own, theirs, strict=True)) if one != other]
    if len(moved) != 2:
        return ()
    first, last = moved
    if last - first < _APART:
        return ()
    if own[first] != theirs[last] or own[last] != theirs[first]:
        return ()
    if bool(_PASSIVE.search(sentence)) != bool(_PASSIVE.search(line)):
        return ()
    bound = all(_binds(_between(text, own[first], own[last])) for text in (sentence, line))
    return (own[first], own[last]) if bound else ()


def _between(text: str, one: str, other: str) -> Sequence[str]:
    """All words between two, whichever comes first."""
    stems = [stem(word) for word in words(text)]
    left, right = sorted((stems.index(one), stems.index(other)))
    return stems[left + 1 : right]


def _binds(between: Sequence[str]) -> bool:
    """Whether words between two say more than that they are members of one list."""
    return any(word in STOPWORDS and word not in _OF_A_LIST for word in between)


def _content(text: str) -> list[str]:
    return [stem(word) for word in words(text) if word not in STOPWORDS]
