r"""What a person and a language model see of stored text: LaTeX and its remains as plain Unicode.

Stored text is never changed. `clean_with_offsets` tells where each shown character comes from, so a
highlight can be moved between what is shown and what is stored.

The rules live in `cleaning_rules`, and are applied until nothing changes. Ordinary prose, URLs and
code pass untouched: each rule asks for a context in which no ordinary word stands.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from rag.text.latex_rules import RULES, Rule

# Rounds are needed for nesting only; the bound keeps a hostile text from taking forever.
MAX_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Text as shown. `offsets[i]` is where in the source its i-th character comes from.

    Offsets never decrease and lie below `source_length`.
    """

    text: str
    offsets: tuple[int, ...]
    source_length: int

    def to_source(self, start: int, end: int) -> tuple[int, int]:
        """The source span `[start, end)` that the shown span stands for."""
        return self._source_of(start), self._source_of(end)

    def from_source(self, start: int, end: int) -> tuple[int, int]:
        """The shown span of the characters that come from the source span `[start, end)`."""
        return bisect_left(self.offsets, start), bisect_left(self.offsets, end)

    def _source_of(self, position: int) -> int:
        return self.offsets[position] if position < len(self.offsets) else self.source_length


def clean(text: str) -> str:
    """`text` as its author meant it to be read."""
    return clean_with_offsets(text).text


def clean_with_offsets(text: str) -> Cleaned:
    """`text` as its author meant it to be read, and where each character of it comes from."""
    shown, offsets = text, list(range(len(text)))
    for _ in range(MAX_ROUNDS):
        before = shown
        for rule in RULES:
            if rule.needs in shown and rule.pattern.search(shown):
                shown, offsets = _applied(rule, shown, offsets)
        if shown == before:
            break
    return Cleaned(shown, tuple(offsets), len(text))


def _applied(rule: Rule, text: str, offsets: list[int]) -> tuple[str, list[int]]:
    """The text after every match of `rule` outside URLs was replaced, and its offsets."""
    pieces: list[str] = []
    moved: list[int] = []
    cursor = 0
    for found in rule.outside_urls.finditer(text):
        if found["url"] or (rule.when and not rule.when(found)):
            continue
        pieces.append(text[cursor : found.start()])
        moved += offsets[cursor : found.start()]
        _replace(rule, found, offsets, pieces, moved)
        cursor = found.end()
    pieces.append(text[cursor:])
    return "".join(pieces), moved + offsets[cursor:]


def _replace(
    rule: Rule,
    found: re.Match[str],
    offsets: list[int],
    pieces: list[str],
    moved: list[int],
) -> None:
    """Append the replacement of one match. Kept characters keep their offsets."""
    position, last = found.start(), found.end() - 1
    for part in rule.parts:
        if isinstance(part, int):
            start, end = found.span(part)
            pieces.append(found[part] or "")
            moved += offsets[start:end] if found[part] else []
            position = max(position, end)
        else:
            literal = part if isinstance(part, str) else part(found)
            pieces.append(literal)
            moved += [offsets[min(position, last)]] * len(literal)
