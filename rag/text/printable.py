"""Characters that do not print, by name, and text without them.

Each name is the inside of a regular expression's brackets; `any_of` puts them together. Whoever shows text
chooses: a terminal is steered by other characters than a page, a line of JSON or a BibTeX field.
"""

from __future__ import annotations

import re
import unicodedata

NUL = "\0"
C0 = "\0-\x1f"
C0_BUT_NEWLINE = "\0-\x09\x0b-\x1f"
C0_BUT_SPACES = "\0-\x08\x0e-\x1b"
DELETE_AND_C1 = "\x7f-\x9f"
DELETE_AND_C1_BUT_SPACES = "\x7f-\x84\x86-\x9f"  # U+0085 ends a line
LINE_SEPARATORS = "\u2028\u2029"
DIRECTION_MARKS = "\u061c\u200e\u200f"
DIRECTION_SPANS = "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates
HIDDEN = "\ufeff\U000e0000-\U000e007f"  # the byte order mark; tags, a second and invisible ASCII
STEERING = DELETE_AND_C1 + DIRECTION_MARKS + LINE_SEPARATORS + DIRECTION_SPANS  # of terminals and lines
SURROGATES = "\ud800-\udfff"  # half a character: it cannot be passed on as UTF-8


def any_of(*names: str) -> re.Pattern[str]:
    """Matches one character of any of these classes."""
    return re.compile(f"[{''.join(names)}]")


_SURROGATE = any_of(SURROGATES)


def readable(text: str) -> str:
    """U+FFFD for every lone surrogate, so that the text can be written as UTF-8; offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def printable(text: str) -> str:
    """NFC, control and bidirectional characters out, lone surrogates replaced, single spaces."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} else c for c in text)
    return " ".join(text.split())
