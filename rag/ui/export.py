"""A conversation as Markdown or JSON, and the papers it cites as BibTeX or RIS.

Pure functions: values in, text out. Titles, names and abstracts are untrusted: none of them can end a
field, begin a record or become a link or an image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from rag.text.clean import clean
from rag.text.terms import fold
from rag.types import Paper
from rag.ui.state.conversation import Exchange
from rag.ui.state.plain_text import one_line, source_line, web_address

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&^-])")
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: f"\\{char}" for char in "#$%&_"},
}
_STATUS = {
    "answered": "Answered",
    "quoted": "Quoted from the papers",
    "abstained": "Not in this collection",
    "error": "Failed",
}


def to_json(title: str, exchanges: Sequence[Exchange], at: str) -> str:
    """Every exchange with its public `Answer` object (docs/design.md, section 5)."""
    rows = [
        {
            "question": exchange.question,
            "answer": exchange.answer.to_dict() if exchange.answer else None,
            "failure": exchange.failure.message if exchange.failure else None,
            "verdict": exchange.verdict or None,
        }
        for exchange in exchanges
    ]
    told = {"title": title, "exported_at": at, "exchanges": rows}
    return json.dumps(told, ensure_ascii=False, indent=1).encode("utf-8", "replace").decode() + "\n"


def to_markdown(title: str, exchanges: Sequence[Exchange], at: str) -> str:
    """For reading: questions, answers, and the sentences that carry them."""
    parts = [f"# {_md(title)}", f"*Exported from Citewise, {_md(at)}*"]
    for exchange in exchanges:
        parts += [f"## {_md(exchange.question)}", *_markdown_answer(exchange)]
    return "\n\n".join(parts) + "\n"


def _markdown_answer(exchange: Exchange) -> list[str]:
    answer = exchange.answer
    if answer is None:
        return [f"*{_md(exchange.failure.message if exchange.failure else 'No answer.')}*"]
    parts = [f"**{_STATUS[answer.status]}** (confidence {answer.confidence:.2f})"]
    if answer.standalone_question.split() not in ([], answer.question.split()):
        parts.append(f"*Read as: {_md(answer.standalone_question)}*")
    parts += [_md(line) for line in answer.text.splitlines() if line.strip()]
    for citation in answer.citations:
        parts.append(_md(source_line(citation)))
        parts += [f"> {_md(clean(item.text))}" for item in citation.quotes]
    if answer.abstention and answer.abstention.closest:
        parts.append("Closest papers: " + "; ".join(_md(name) for name in answer.abstention.closest))
    return parts


def cited_papers(exchanges: Iterable[Exchange]) -> list[Paper]:
    """Every paper that an answer cites, once, in the order of first use."""
    found: dict[str, Paper] = {}
    for answer in (exchange.answer for exchange in exchanges if exchange.answer):
        known = {passage.paper.paper_id: passage.paper for passage in answer.passages}
        for cited in answer.citations:
            bare = Paper(cited.paper_id, cited.title, "", cited.year, cited.url)
            found.setdefault(cited.paper_id, known.get(cited.paper_id, bare))
    return list(found.values())


def to_bibtex(papers: Iterable[Paper]) -> str:
    """One `@misc` entry per paper; keys are unique within the file."""
    used: set[str] = set()
    return "\n".join(_entry(paper, _unused(_key(paper), used)) for paper in papers)


def _entry(paper: Paper, key: str) -> str:
    fields = {
        "title": f"{{{_tex(clean(paper.title))}}}",
        "author": " and ".join(f"{{{_tex(name)}}}" if _odd(name) else _tex(name) for name in paper.authors),
        "year": str(paper.year or ""),
        "howpublished": _tex(paper.venue or ""),
        "url": web_address(paper.url),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}\n"


def to_ris(papers: Iterable[Paper]) -> str:
    """One record per paper, as reference managers read it."""
    return "\n".join(_record(paper) for paper in papers)


def _record(paper: Paper) -> str:
    lines = [("TY", "GEN"), ("TI", clean(paper.title))]
    lines += [("AU", name) for name in paper.authors]
    lines += [("PY", str(paper.year or "")), ("T2", paper.venue or ""), ("UR", web_address(paper.url))]
    lines += [("AB", clean(paper.abstract)), ("ER", "")]
    kept = [(tag, one_line(value)) for tag, value in lines if value or tag == "ER"]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in kept)


def _md(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in one_line(text))


def _odd(name: str) -> bool:
    """A name that BibTeX would take apart at the wrong place."""
    return " and " in f" {name.lower()} " or name.count(",") > 2


def _key(paper: Paper) -> str:
    """'lovelace2023mixer': family name, year, first word of the title, ASCII letters only."""
    family = paper.authors[0].split(",")[0].split()[-1:] if paper.authors else []
    words = [word for word in re.findall("[a-z]+", fold(clean(paper.title))) if len(word) > 3]
    parts = [*family, str(paper.year or ""), *words[:1]] if family else [*words[:1], str(paper.year or "")]
    return re.sub("[^a-z0-9]", "", fold("".join(parts))) or "paper"


def _unused(key: str, used: set[str]) -> str:
    """The key, or the key with the first number behind it that makes it new."""
    number, found = 1, key
    while found in used:
        number += 1
        found = f"{key}-{number}"
    used.add(found)
    return found
