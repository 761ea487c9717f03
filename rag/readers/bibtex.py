r"""BibTeX through bibtexparser. Entries without an abstract are rejected, like any other misfit.

BibTeX's own spelling is undone in titles, abstracts and names: braces that protect capitals,
accents (`{\"o}`), escaped characters (`\%`). Math and LaTeX commands stay as written: how they are
shown is up to `rag.text.clean`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.readers.rows import paper_from
from rag.readers.source import Source, is_utf8
from rag.readers.tagged import given_name_first
from rag.text.latex import ACCENTED, SPECIAL_LETTER, TEXT_SYMBOLS, accented, special_letter
from rag.types import Paper, Rejected

if TYPE_CHECKING:
    from bibtexparser.model import Block, Entry, ParsingFailedBlock

MAX_NESTED_GROUPS = 20

_ENTRY_START = re.compile(r"^[ \t]*@[A-Za-z]+[ \t]*[{(]", re.MULTILINE)
_ENTRY_LIKE = re.compile(r"^[ \t]*@[A-Za-z]+", re.MULTILINE)
_NOT_ENTRIES = ("@comment", "@string", "@preamble")
_MATH = re.compile(r"((?<!\\)\$[^$]*(?<!\\)\$|\\\(.*?\\\))", re.DOTALL)
_TEXT_SYMBOL = re.compile(rf"\\({'|'.join(TEXT_SYMBOLS)})(?:\{{\}}|\s+|(?![A-Za-z]))")
_ESCAPED = re.compile(r"\\([%&#_$])")
_COMMAND = re.compile(r"\\[A-Za-z]")
# A group that is no command's argument and no sub- or superscript.
_FREE_GROUP = re.compile(r"(?<![A-Za-z\\}\]_^])\{([^{}\\]*)\}")


def sniff(source: Source) -> bool:
    """Whether an entry starts on some line of the file's beginning."""
    return _ENTRY_START.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a BibTeX file, and a rejection for every entry that does not parse.

    :raises ReadError: if the file cannot be read.
    """
    from bibtexparser.entrypoint import parse_string

    logger = logging.getLogger("bibtexparser")
    if not logger.handlers:
        # Its warnings come back as rejections; unhandled they would go to standard error.
        logger.addHandler(logging.NullHandler())
    for block in parse_string(source.text()).blocks:
        yield from _from_block(block, source.origin)


def plain(value: str) -> str:
    """A BibTeX value without BibTeX's spelling, white space collapsed; math is left alone."""
    if not re.search(r"[\\{}~]", value):
        return " ".join(value.split())
    pieces = _MATH.split(value)
    pieces[::2] = [_plain_text(piece) for piece in pieces[::2]]
    return " ".join("".join(pieces).split())


def _plain_text(text: str) -> str:
    text = ACCENTED.sub(accented, text)
    text = SPECIAL_LETTER.sub(special_letter, text)
    text = _TEXT_SYMBOL.sub(lambda found: TEXT_SYMBOLS[found[1]], text)
    text = _ESCAPED.sub(r"\1", text)
    if not _COMMAND.search(text):
        return re.sub(r"(?<!\\)[{}]", "", text)
    for _ in range(MAX_NESTED_GROUPS):
        text, replaced = _FREE_GROUP.subn(r"\1", text)
        if not replaced:
            break
    return text


def _from_block(block: Block, origin: str) -> Iterator[Paper | Rejected]:
    from bibtexparser.model import Entry, ImplicitComment, ParsingFailedBlock

    line = (block.start_line or 0) + 1
    if isinstance(block, ParsingFailedBlock):
        yield _failed(block, origin, line)
    elif isinstance(block, ImplicitComment):
        yield from _lost_entries(block.comment, origin, line)
    elif isinstance(block, Entry):
        if is_utf8(block.raw or ""):
            yield paper_from(_row(block), origin=origin, line=line)
        else:
            yield Rejected(origin, line, "not valid UTF-8")


def _lost_entries(comment: str, origin: str, line: int) -> Iterator[Rejected]:
    """Entries the parser took for free text between entries."""
    for found in _ENTRY_LIKE.finditer(comment):
        if not found[0].strip().lower().startswith(_NOT_ENTRIES):
            above = comment.count("\n", 0, found.start())
            yield Rejected(origin, line + above, "not a BibTeX entry: a bracket is missing")


def _failed(block: ParsingFailedBlock, origin: str, line: int) -> Rejected:
    from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock

    if isinstance(block, DuplicateBlockKeyBlock):
        first = (block.previous_block.start_line or 0) + 1
        reason = f"the citation key {block.key!r} is already used on line {first}"
    elif isinstance(block, DuplicateFieldKeyBlock):
        reason = f"a field is given twice: {', '.join(sorted(block.duplicate_keys))}"
    else:
        reason = f"malformed entry: {' '.join(str(block.error).split())[:200]}"
    return Rejected(origin, line, reason)


def _row(entry: Entry) -> dict[str, object]:
    fields = {field.key.lower(): str(field.value) for field in entry.fields}
    row: dict[str, object] = {
        name: plain(fields[name]) for name in ("title", "abstract", "journal", "booktitle") if name in fields
    }
    row.update({name: fields[name] for name in ("doi", "url", "year", "date") if name in fields})
    row["authors"] = [given_name_first(plain(name)) for name in _names(fields.get("author", ""))]
    row["citation_key"] = entry.key
    if fields.get("archiveprefix", fields.get("eprinttype", "")).lower() == "arxiv":
        row["arxiv_id"] = fields.get("eprint")
    return row


def _names(authors: str) -> list[str]:
    return [name for name in re.split(r"\s+and\s+", authors.strip()) if name]
