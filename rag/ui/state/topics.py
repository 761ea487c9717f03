"""Names for groups of papers: the words and pairs of words that set a group apart. Pure.

After class-based tf-idf (Grootendorst, "BERTopic", 2022), over papers instead of occurrences: a word
counts once per paper and once more in its title, so that one long abstract does not name its group.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.text.clean import clean
from rag.text.terms import STOPWORDS, fold, stem
from rag.types import Paper

_TERMS_SHOWN = 3
_LENGTH_MIN = 3
_SHARE_MIN = 0.08
_LIFT_MIN = 1.2
_PAIR_BONUS = 1.6
_TOKEN = re.compile(r"[^\W\d_][^\W_]*(?:-[^\W_]+)*|[.,;:()]")
# Said of any paper: they name no topic.
_COMMON = frozenset(
    """approach approaches propose proposed method methods novel results show shows using use used based
    new work works present study studies demonstrate performance across large also two one first however
    significantly existing recent various different often many while well toward towards achieve find
    improve introduce three framework efficient effective model models""".split()
)


@dataclass(frozen=True, slots=True)
class _PaperPhrases:
    """The phrases of one paper by their stems, and those of its title."""

    anywhere: Mapping[str, str]
    title: frozenset[str]


def topic_names(papers: Sequence[Paper], labels: Sequence[int]) -> list[str]:
    """'unlearning, question answering' for each group 0, 1, ...; 'group 3' where nothing stands out."""
    said = [_phrases_of(paper) for paper in papers]
    everywhere = Counter(key for paper in said for key in paper.anywhere)
    names = []
    for group in range(max(labels, default=-1) + 1):
        members = [paper for paper, label in zip(said, labels, strict=True) if label == group]
        ranked = _ranked(members, everywhere, len(papers))
        names.append(", ".join(_spoken(members, key) for key in ranked) or f"group {group + 1}")
    return names


def _phrases_of(paper: Paper) -> _PaperPhrases:
    title, abstract = clean(paper.title), clean(paper.abstract)
    anywhere = {_key(phrase): phrase for phrase in _phrases(f"{title}. {abstract}")}
    return _PaperPhrases(anywhere, frozenset(_key(phrase) for phrase in _phrases(title)))


def _phrases(text: str) -> Iterator[str]:
    """Content words, and pairs of them that stand side by side."""
    before = None
    for token in _TOKEN.findall(fold(text)):
        if len(token) < _LENGTH_MIN or token in STOPWORDS | _COMMON:
            before = None
            continue
        yield token
        if before:
            yield f"{before} {token}"
        before = token


def _key(phrase: str) -> str:
    return " ".join(stem(word) for word in phrase.replace("-", " ").split())


def _ranked(members: Sequence[_PaperPhrases], everywhere: Mapping[str, int], papers: int) -> list[str]:
    """The phrases that are frequent here and rare elsewhere, no two sharing a word, best first."""
    size = len(members)
    inside = Counter(key for paper in members for key in paper.anywhere)
    titles = Counter(key for paper in members for key in paper.title)
    scored = []
    for key, count in inside.items():
        lift = (count + 0.5) / (size + 1) / ((everywhere[key] - count + 1) / (papers - size + 2))
        if count >= max(min(2, size), _SHARE_MIN * size) and lift > _LIFT_MIN:
            weight = _PAIR_BONUS if " " in key else 1.0
            scored.append((weight * (count + titles[key]) / size * math.log(lift), key))
    chosen: list[str] = []
    for _, key in sorted(scored, key=lambda s: (-s[0], s[1])):
        if not any(set(key.split()) & set(other.split()) for other in chosen):
            chosen.append(key)
    return chosen[:_TERMS_SHOWN]


def _spoken(members: Sequence[_PaperPhrases], key: str) -> str:
    """The spelling most of these papers use."""
    spellings = Counter(paper.anywhere[key] for paper in members if key in paper.anywhere)
    return min(spellings, key=lambda word: (-spellings[word], word))
