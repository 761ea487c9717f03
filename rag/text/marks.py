"""The [n] marks in a text: find, check against the keys that exist, strip and put back.

Marks that already stand in an abstract would collide with ours; they are shown with other brackets.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from rag.text.clean import clean

# [1], [1, 2], [1][2] and the spelled-out (1) of small models is *not* one: brackets are common in prose.
_MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


def display(text: str) -> str:
    """Stored text as a person or a model sees it: cleaned, and what looks like our marks is no mark.

    >>> shown("as in [3], on [0, 1]")
    'as in ［3］, on ［0, 1］'
    """
    return _MARK.sub(lambda mark: mark.group().replace("[", "［").replace("]", "］"), clean(text))


def keys_in(text: str) -> tuple[int, ...]:
    """The distinct keys of all marks, in order of appearance: 'a [2] b [1, 2]' -> (2, 1)."""
    found = (int(key) for mark in _MARK.findall(text) for key in re.split(r"\s*[,;]\s*", mark))
    return tuple(dict.fromkeys(found))


def resolved(keys: Iterable[int], known: Collection[int]) -> tuple[int, ...]:
    """The keys that exist; the others were invented."""
    return tuple(key for key in keys if key in known)


def strip_marks(text: str) -> str:
    """The text without any mark and without the white space before it."""
    return _MARK.sub("", text).strip()


def with_marks(text: str, keys: Iterable[int]) -> str:
    """The sentence with its marks before the final stop: 'So it is [1][2].' (as ALCE writes them)."""
    marks = "".join(f"[{key}]" for key in keys)
    if not marks:
        return text
    body, stop = (text[:-1], text[-1]) if text.endswith((".", "!", "?")) else (text, "")
    return f"{body} {marks}{stop}"
