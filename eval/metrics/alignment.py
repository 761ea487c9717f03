"""Words of a claim laid along the words of a premise: what the `rouge-l-strict` judge sees.

Tokens, numbers and stems are read here on their own, not through `rag.text.terms` or `rag.text.numbers`, so
that a slip of the run-time verifier is not repeated by its judge. Knows nothing of papers or answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import Stemmer

_TOKEN = re.compile(
    r"(?P<number>(?<![A-Za-z\d.-])\d[\d,]*(?:\.\d+)?)(?P<unit>\s?%|\s?[x×](?![a-z])|[KMBT]\b)?"
    r"|[A-Za-z\d]+(?:[-.'’][A-Za-z\d]+)*"
)
_UNIT_WORDS = {"percent": "%", "times": "x", "fold": "x", "points": "points", "million": "m", "billion": "b"}
_NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_SPELLED = {word: str(value) for value, word in enumerate(_NUMBER_WORDS) if word != "one"}
_FACTORS = {"doubl": "2", "twice": "2", "tripl": "3", "thrice": "3"}
STOPWORDS = frozenset(
    """a an the of to in on at by for from with as and or that which who whose this these those it its they
    their them our we is are was were be been being has have had do does did can could may might will would
    shall should than then when where while whereas also up into over under between about across per both
    each other such so very more much well only just there here if but""".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word as written; its stem; for a number `stem` is its value and `unit` is %, x, k, m, b or ''."""

    text: str
    stem: str
    unit: str = ""
    is_number: bool = False
    opens: bool = False

    @property
    def is_content(self) -> bool:
        """Whether it says something on its own."""
        return self.is_number or self.text.casefold() not in STOPWORDS

    @property
    def is_name(self) -> bool:
        """A capital inside, or in front anywhere but at the start of the text; digits beside letters."""
        if self.is_number or not self.is_content:
            return False
        inner = any(c.isupper() for c in self.text[1:]) or any(c.isdigit() for c in self.text)
        return inner or (self.text[0].isupper() and not self.opens)


class Reader:
    """Texts to tokens, with the Porter stemmer that ROUGE uses."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("porter")

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text in order; 'by 7 percent' is one number with the unit %."""
        found: list[Token] = []
        for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
            if match["number"]:
                value = match["number"].replace(",", "").rstrip(".")
                unit = (match["unit"] or "").strip().casefold().replace("×", "x")
                found.append(Token(match.group(), f"{float(value):g}", unit, is_number=True))
                continue
            word = match.group().casefold()
            if found and found[-1].is_number and not found[-1].unit and word in _UNIT_WORDS:
                found[-1] = Token(found[-1].text, found[-1].stem, _UNIT_WORDS[word], is_number=True)
                continue
            found.append(self._word(match.group(), opens=not found))
        return found

    def _word(self, text: str, *, opens: bool) -> Token:
        word = text.casefold()
        stem = str(self._stemmer.stemWord(re.sub(r"['’]s$", "", word)))
        if word in _SPELLED:
            return Token(text, _SPELLED[word], is_number=True)
        if stem in _FACTORS:
            return Token(text, _FACTORS[stem], "x", is_number=True)
        return Token(text, stem, opens=opens)


def same(one: Token, other: Token) -> bool:
    """Equal stems; numbers have equal values and units, where a unit left out may stand for any."""
    if one.is_number != other.is_number or one.stem != other.stem:
        return False
    return one.unit == other.unit or not one.unit or not other.unit


def longest_common(claim: Sequence[Token], premise: Sequence[Token]) -> list[tuple[int, int]]:
    """A longest common subsequence as (claim, premise) positions; the earliest where several are longest."""
    best = [[0] * (len(premise) + 1) for _ in range(len(claim) + 1)]
    for i in range(len(claim) - 1, -1, -1):
        for j in range(len(premise) - 1, -1, -1):
            if same(claim[i], premise[j]):
                best[i][j] = best[i + 1][j + 1] + 1
            else:
                best[i][j] = max(best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(claim) and j < len(premise):
        if same(claim[i], premise[j]):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def rouge_l_recall(claim: Sequence[Token], lines: Sequence[Sequence[Token]]) -> float:
    """Share of the claim's tokens in the union of its longest common subsequences with each line.

    ROUGE-Lsum recall (Lin, 2004, section 3.2), on content words. 1.0 for a claim without any.
    """
    if not claim:
        return 1.0
    united = {i for line in lines for i, _ in longest_common(claim, line)}
    return len(united) / len(claim)
