"""Untrusted text -> HTML in which nothing of it can act: no element, link, image, formula or template.

Every ASCII punctuation character becomes an entity. That is more than HTML needs, but the page's
Markdown component reads its value once more, and Markdown never takes an entity for structure.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
# C0, C1, direction marks, byte order mark, invisible tags: a reader cannot see what they do.
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def inert(text: str) -> str:
    """`text` on one line, to be shown exactly as it is."""
    visible = _INVISIBLE.sub("", _LONE_SURROGATE.sub("\ufffd", text))
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", _SPACE.sub(" ", visible))


def inert_lines(text: str) -> str:
    """`text` with its line breaks kept; several blank lines become one."""
    lines = re.sub(r"\n{3,}", "\n\n", text.strip().replace("\r\n", "\n")).split("\n")
    return "<br>".join(inert(line) for line in lines)


def web_host(url: str | None) -> str | None:
    """The host of an http(s) address without a user name; None for anything else: that becomes no link."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    plain = parts.scheme in {"http", "https"} and "@" not in parts.netloc and _HOST.fullmatch(host)
    return host if plain else None
