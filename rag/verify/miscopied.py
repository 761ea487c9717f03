"""Words that a small model meant to copy and spelled anew: 'learningenes' for 'learngenes'. Pure."""

from __future__ import annotations

from rag.text.terms import words

_LONG = 8  # letters; shorter words are alike by chance
_ENDS = 4  # letters that both words share at either end
_BETWEEN = 2  # letters between that differ at most
_SPELLINGS = {frozenset("sz"), frozenset(("", "e")), frozenset(("", "u"))}  # of one word: parametri(z|s)e


def miscopied_words(sentence: str, evidence: str) -> list[str]:
    """Long words of a sentence that the evidence does not hold, but for a letter or two in the middle."""
    known = {word for word in words(evidence) if len(word) >= _LONG and word.isalpha()}
    told = {word for word in words(sentence) if len(word) >= _LONG and word.isalpha()} - known
    return sorted(word for word in told if any(_slipped(word, other) for other in known))


def _slipped(word: str, other: str) -> bool:
    """Alike at both ends, with something else in the middle that is no other spelling."""
    shorter = min(len(word), len(other))
    first = next((n for n in range(shorter) if word[n] != other[n]), shorter)
    last = next((n for n in range(shorter - first) if word[-1 - n] != other[-1 - n]), shorter - first)
    between = word[first : len(word) - last], other[first : len(other) - last]
    return min(first, last) >= _ENDS and max(map(len, between)) <= _BETWEEN and set(between) not in _SPELLINGS
