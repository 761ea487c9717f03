"""Words of a text as comparable terms: lower case, stemmed, numbers and acronyms kept whole.

Shared by BM25, evidence selection and verification, so that all three mean the same by "occurs in".
Knows nothing of papers or models. Stemmer: Snowball English (Porter2), through PyStemmer.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import Stemmer

# 9.1, 1,000, 3.5e-4 and 48b stay one word; so do gpt-4 and k-means (their parts are added too).
_WORD = re.compile(r"\d+(?:[.,]\d+)*[a-z%]*|[^\W\d_][^\W_]*(?:['’][a-z]+)?", re.UNICODE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_COMPOUND = re.compile(r"(?<![^\W_])[^\W_]+(?:[-/][^\W_]+)+", re.UNICODE)
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

STOPWORDS = frozenset(
    """a about above after again against all also am an and any are as at be because been before being
    between both but by can could did do does doing down during each few for from further had has have
    having he her here hers him his how i if in into is it its itself just me might more most must my
    no nor not of off on once only or other our ours out over own paper papers per same shall she should
    so some such than that the their theirs them then there these they this those through thus to too
    under until up upon us very via was we were what when where whether which while who whom whose why
    will with within without would you your according please tell describe explain""".split()
)

_local = threading.local()


def _stemmer() -> Stemmer.Stemmer:
    """One stemmer per thread: PyStemmer objects are not thread-safe."""
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    return _local.stemmer


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The Porter2 stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


def fold(text: str) -> str:
    """NFKC, accents removed, case folded: 'Naïve' and 'naive' become equal."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    """Folded words in order, numbers with their thousands commas removed, not stemmed."""
    found = []
    for match in _WORD.finditer(fold(text)):
        word = match.group().replace("’", "'").removesuffix("'s")
        found.append(_THOUSANDS.sub("", word) if "," in word else word)
    return found


def terms(text: str) -> list[str]:
    """Search terms with repeats: stems of content words, plus whole compounds and CamelCase parts."""
    found = [stem(word) for word in words(text) if word not in STOPWORDS]
    found.extend(_extras(text))
    return found


@lru_cache(maxsize=4096)  # a question holds the same sentences and papers against itself several times
def term_set(text: str) -> frozenset[str]:
    """The distinct search terms of a text."""
    return frozenset(terms(text))


def content_terms(text: str) -> frozenset[str]:
    """The distinct stems of the content words of a text, without the compounds `terms` adds."""
    return frozenset(stem(word) for word in words(text) if word not in STOPWORDS)


def _extras(text: str) -> Iterator[str]:
    """gpt-4 -> gpt4; InstructRetro -> instruct, retro: what people type in another spelling."""
    for match in _COMPOUND.finditer(text):
        yield stem(re.sub(r"[-/]", "", fold(match.group())))
    for word in re.findall(r"[A-Za-z]+", text):
        parts = _CAMEL.findall(word) if re.search(r"[a-z][A-Z]", word) else []
        if len(parts) > 1:
            yield from (stem(part.casefold()) for part in parts if len(part) > 2)


def focus_words(text: str) -> tuple[str, ...]:
    """The content words of a text, folded, in order, without repeats."""
    return tuple(dict.fromkeys(word for word in words(text) if word not in STOPWORDS))
