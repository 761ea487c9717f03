"""Text without what does not print: control and direction marks, lone surrogates."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    """NFC, control and bidirectional characters out, lone surrogates replaced, single spaces."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} else c for c in text)
    return " ".join(text.split())
