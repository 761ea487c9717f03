"""Misspelt words of a question, mended where the collection knows the word that was meant.

A word is one slip away from another when a letter is missing or one too many, two neighbours changed places
or, in longer words, one letter is wrong (Damerau, 1964: four in five misspellings). A word is left alone when
it is one, in the dictionary or in the collection, or is not all in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase

from rag.text.terms import STOPWORDS, stem

_WORD = re.compile(r"(?<![\w'’.-])[a-z]{4,40}(?![\w'’-])")  # a longer one is none, and would take seconds
_WRONG_LETTER_FROM = 7  # in a shorter word one other letter makes another name: gemma, gamma
_BRITISH = re.compile(r"is(?=(?:e|es|ed|er|ers|ing|ation|ations)$)")
_PREFIX = re.compile(r"^(?:re|un|pre|post|non|over|under|mis|multi|sub|inter|de|dis)(?=.{4})")
_UNAPOSTROPHED = frozenset("dont doesnt didnt isnt arent wasnt werent cant wont couldnt whats thats".split())


@dataclass(frozen=True, slots=True)
class Spelling:
    """`dictionary`: words in small letters; of a stem, whether the collection has it, and how rare it is."""

    dictionary: frozenset[str]
    held: Callable[[str], bool]
    idf: Callable[[str], float]

    def mended(self, text: str) -> str:
        """The text with each misspelt word replaced by the commonest it can have been.

        >>> Spelling(frozenset({"small", "with"}), {"small"}.__contains__, len).mended("smal models wiht it")
        'small models with it'
        """
        if not self.dictionary:
            return text
        return _WORD.sub(lambda match: self._meant(match.group()), text)

    def _meant(self, word: str) -> str:
        if self._is_one(word) or self._is_one(_PREFIX.sub("", word)):
            return word
        able = {
            other
            for other in _one_slip_away(word)
            if other in self.dictionary and (other in STOPWORDS or self.held(stem(other)))
        }
        return min(able, key=lambda w: (w not in STOPWORDS, self.idf(stem(w)), w), default=word)

    def _is_one(self, word: str) -> bool:
        """In the dictionary, in some form, or in the collection."""
        forms = {word, _BRITISH.sub("iz", word), word.replace("our", "or")}
        if word in _UNAPOSTROPHED or forms & self.dictionary:
            return True
        return any(stem(form) in _stems(self.dictionary) or self.held(stem(form)) for form in forms)


@cache  # read once, however many collections are opened
def dictionary_of(folder: Path) -> frozenset[str]:
    """The whole words of a BERT's `vocab.txt`: twenty thousand common ones; empty where there is none."""
    try:
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return frozenset()
    return frozenset(word for word in lines if word.isascii() and word.isalpha() and word.islower())


@cache
def _stems(dictionary: frozenset[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in dictionary)


def _one_slip_away(word: str) -> Iterator[str]:
    """Words that begin alike: a first letter is rarely wrong."""
    for place in range(1, len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in ascii_lowercase)
        if after:
            yield before + after[1:]
            if len(word) >= _WRONG_LETTER_FROM:
                yield from (before + letter + after[1:] for letter in ascii_lowercase)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
