"""Numbers that stand in the evidence, but with other words: '94.6 on AQuA' for '94.6 on GSM8K'.

Every number has the words of its clause around it. When those of the sentence clearly fit another
number of the evidence better, the two were exchanged. Pure functions on cleaned text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.numbers import Quantity, places, plain_text, same
from rag.text.terms import STOPWORDS, stem, words

# How many more words must fit before a number counts as standing in another's place.
EXCHANGED_MARGIN = 3
Context = tuple[Quantity, frozenset[str]]

_SPAN = re.compile(r"\s?[-–—]\s?")
_ENUMERATION = re.compile(r"\(\d\)")
_BREAK = re.compile(r"[.,;!?](?=\s|$)|\n|\b(?:and|but|while|whereas|versus|vs|compared)\b")
_BINDING = re.compile(r"\b(?:from|to|over|than|of|at|by|in)\W*$")


def exchanged_numbers(sentence: str, evidence: str) -> tuple[str, ...]:
    """Numbers of the sentence whose words stand, in the evidence, with another number.

    'GSM8K 94.6, AQuA 76.3' becomes suspicious when told '76.3 on GSM8K and 94.6 on AQuA'. A number
    counts only when its words fit the other number by a clear margin.
    """
    said, told = _in_context(sentence), _in_context(evidence)
    return tuple(
        f"{quantity.value:g}"
        for quantity, around in said
        if any(_fits_better(quantity, around, other, said, told) for other in _rivals(quantity, told))
    )


def _rivals(quantity: Quantity, told: Sequence[Context]) -> set[Quantity]:
    """Other numbers of the evidence that the quantity could be mistaken for: the same unit and form."""
    own = [held for held, _ in told if same(held, quantity)]
    return {
        held
        for held, _ in told
        if held.value != quantity.value
        and any(held.unit == mine.unit and _form(held) == _form(mine) for mine in own)
    }


def _form(quantity: Quantity) -> str:
    """Years, counts and other plain numbers are not mistaken for one another."""
    if quantity.unit != "plain":
        return "measured"
    if not quantity.value.is_integer():
        return "decimal"
    return "year" if 1900 <= quantity.value < 2100 else "count"


def _fits_better(
    quantity: Quantity,
    around: frozenset[str],
    other: Quantity,
    said: Sequence[Context],
    told: Sequence[Context],
) -> bool:
    """Whether clearly more words fit the evidence once `quantity` and `other` trade places."""
    gain = _fit(around, other, told) - _fit(around, quantity, told)
    back = [_fit(near, quantity, told) - _fit(near, other, told) for held, near in said if same(held, other)]
    return gain + max(back, default=0) >= EXCHANGED_MARGIN


def _fit(around: frozenset[str], quantity: Quantity, told: Sequence[Context]) -> int:
    """The most words any mention of the quantity in the evidence shares with these."""
    return max((len(around & near) for held, near in told if same(held, quantity)), default=0)


def _in_context(text: str) -> list[Context]:
    """Each quantity with the words that belong to it: its clause, up to the numbers beside it."""
    plain = _ENUMERATION.sub(" ", plain_text(text))
    own = [place for place in places(plain) if not place.named]
    breaks = [(b.start(), b.end()) for b in _BREAK.finditer(plain)]
    found: list[Context] = []
    for i, place in enumerate(own):
        left = max([end for _, end in breaks if end <= place.start], default=0)
        right = min([start for start, _ in breaks if start >= place.end], default=len(plain))
        before, after = plain[left : place.start], plain[place.end : right]
        between = plain[own[i - 1].end : place.start] if i else ""
        if i and own[i - 1].end > left:
            binding = _BINDING.search(between)
            before = binding.group() if binding else ""
        if i + 1 < len(own) and own[i + 1].start < right:
            after = _BINDING.sub("", plain[place.end : own[i + 1].start])
        near = _content(before) | _content(after)
        if i and _SPAN.fullmatch(between):  # both ends of '80-95%' share their words
            near |= found[-1][1]
            found[-1] = (found[-1][0], near)
        found.append((place.quantity, near))
    return found


def _content(text: str) -> frozenset[str]:
    kept = {"from", "to"}
    return frozenset(stem(word) for word in words(text) if word in kept or word not in STOPWORDS)
