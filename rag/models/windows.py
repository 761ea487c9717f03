"""What a cross-encoder reads: the question, the title and the sentences of a paper, as token numbers.

A paper that is too long for one reading becomes several windows, each with question and title; every
sentence stands whole in exactly one of them (one that is longer than a window is cut at its end).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

QUESTION_TOKENS_MAX = 64
TITLE_TOKENS_MAX = 48
WINDOW_TOKENS_MAX = 512

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class Window:
    """One reading. `spans`: half-open token ranges of the sentences read."""

    ids: tuple[int, ...]
    question_tokens: int
    spans: tuple[tuple[int, int], ...]

    @property
    def segments(self) -> list[int]:
        """Token type of each token: 0 for the question, 1 for the paper."""
        return [0] * self.question_tokens + [1] * (len(self.ids) - self.question_tokens)


def windows_of(
    question: Tokens,
    title: Tokens,
    sentences: Sequence[Tokens],
    *,
    special: tuple[int, int],
    tokens_max: int = WINDOW_TOKENS_MAX,
) -> list[Window]:
    """The windows of one paper; `special` is ([CLS], [SEP]), all else are token numbers without them.

    Without a title the sentences follow the question.
    """
    cls, sep = special
    asked = [cls, *question[:QUESTION_TOKENS_MAX], sep]
    head = [*asked, *title[:TITLE_TOKENS_MAX], sep] if title else list(asked)
    room = tokens_max - len(head) - 1
    found: list[Window] = []
    ids = list(head)
    spans: list[tuple[int, int]] = []
    for sentence in sentences:
        own = sentence[:room]
        if spans and len(ids) + len(own) + 1 > tokens_max:
            found.append(Window((*ids, sep), len(asked), tuple(spans)))
            ids, spans = list(head), []
        spans.append((len(ids), len(ids) + len(own)))
        ids.extend(own)
    return [*found, Window((*ids, sep), len(asked), tuple(spans))]
