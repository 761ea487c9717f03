"""An answer as plain text, and the pieces of such texts. Pure.

Titles, names and addresses are untrusted: none of them can end a line or a field.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from rag.text.clean import clean
from rag.text.printable import C0, DELETE_AND_C1, DIRECTION_SPANS, LINE_SEPARATORS, SURROGATES, any_of
from rag.types import Answer, Citation

_CONTROL = any_of(C0, DELETE_AND_C1, LINE_SEPARATORS, DIRECTION_SPANS, SURROGATES)


def plain_answer(answer: Answer) -> str:
    """What a person copies: the answer with its marks, and the papers they stand for."""
    said = [clean(line) for line in answer.text.splitlines() if line.strip()]
    sources = [source_line(citation) for citation in answer.citations]
    return "\n".join([*said, *([""] if sources else []), *sources])


def source_line(citation: Citation) -> str:
    """'[1] A Title (2023) https://arxiv.org/abs/1', as far as it is known."""
    address = web_address(citation.url)
    year = f" ({citation.year})" if citation.year else ""
    return f"[{citation.key}] {clean(citation.title)}{year}{address and f' {address}'}"


def one_line(text: str) -> str:
    """One line without control characters and direction marks."""
    return " ".join(_CONTROL.sub(" ", text).split())


def web_address(url: str | None) -> str:
    """A web address with everything escaped that could end a field; empty for any other scheme."""
    try:
        web = url is not None and urlsplit(url.strip()).scheme in {"http", "https"}
    except ValueError:
        web = False
    return quote(one_line(url or ""), safe=":/?#@!$&'()*+,;=%~-._") if web else ""
