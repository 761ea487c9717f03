"""Untrusted text -> HTML in which nothing of it can act: no element, link, image, formula or template.

Every ASCII punctuation character becomes an entity. That is more than HTML needs, but the page's
Markdown component reads its value once more, and Markdown never takes an entity for structure.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from markupsafe import Markup

from rag.text.printable import (
    C0_BUT_SPACES,
    DELETE_AND_C1_BUT_SPACES,
    DIRECTION_MARKS,
    DIRECTION_SPANS,
    HIDDEN,
    any_of,
    readable,
)

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
# A reader cannot see what they do.
_INVISIBLE = any_of(C0_BUT_SPACES, DELETE_AND_C1_BUT_SPACES, DIRECTION_MARKS, DIRECTION_SPANS, HIDDEN)
_SPACE = re.compile(r"\s+")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def escape(text: str) -> Markup:
    """`text` on one line, to be shown exactly as it is; within an attribute's quotes too."""
    visible = _SPACE.sub(" ", _INVISIBLE.sub("", readable(text)))
    return Markup(_PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", visible))  # noqa: S704 - all of it


def escape_lines(text: str) -> Markup:
    """`text` with its line breaks kept; several blank lines become one."""
    lines = re.sub(r"\n{3,}", "\n\n", text.strip().replace("\r\n", "\n")).split("\n")
    return Markup("<br>").join(map(escape, lines))


def display(value: object) -> Markup:
    """What stands in a page for a value, the `finalize` of our templates: all but markup is escaped."""
    return value if isinstance(value, Markup) else escape(str(value))


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
