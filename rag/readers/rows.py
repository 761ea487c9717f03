"""A row of any format becomes a paper or a rejection: aliases, ids, sane values, clean characters.

Column names are compared without case, blanks and punctuation, so `Paper Title` is `paper_title`.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from rag.readers.source import MAX_LINE_BYTES, Row, RowRules
from rag.text.printable import NUL, SURROGATES, any_of
from rag.types import Paper, Rejected

MAX_FIELD_CHARS = 1_000_000
Fields = Mapping[str, object]
Adapt = Callable[[Fields], Fields]
# What is asked of the lines that papers are read from.
PAPER_ROWS = RowRules(
    line_bytes_max=MAX_LINE_BYTES,
    too_long=f"the line is longer than {MAX_LINE_BYTES:,} bytes",
    not_utf8="not valid UTF-8",
    not_json="invalid JSON: {}",
    not_object="not a JSON object but {}",
)

# Field of a paper -> the column names it goes by, the best first.
ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title", "papertitle", "articletitle"),
    "abstract": ("abstract", "abstracttext", "paperabstract", "summary", "text"),
    "id": ("id", "paperid", "doi", "arxivid", "citationkey"),
    "year": ("year", "publicationyear", "pubyear", "date", "published", "publicationdate"),
    "url": ("url", "link", "paperurl"),
    "venue": ("venue", "journal", "booktitle", "conference", "journalref"),
    "authors": ("authors", "author"),
}
_REPLACED_CHARS = any_of(NUL, SURROGATES)
_DOI_PREFIX = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_YEAR = re.compile(r"\s*(\d{4})(?:$|[-/.\s])")
_AUTHOR_BREAK = re.compile(r"\s+and\s+|\s*;\s*")


def as_it_is(fields: Fields) -> Fields:
    """A row whose columns go by the names of `ALIASES`."""
    return fields


def content_id(title: str, abstract: str) -> str:
    r"""The id of a paper whose source gives none: `p-` and 12 hex digits of a sha256.

    Hashed is `title + "\n" + abstract`, both in NFC, white space collapsed, casefolded: the same
    words give the same id whatever the file, the format or the line breaks.
    """
    digest = hashlib.sha256(same_text_key(title, abstract).encode()).hexdigest()
    return f"p-{digest[:12]}"


def same_text_key(title: str, abstract: str) -> str:
    """Two papers with equal keys have the same words."""
    return f"{_folded(title)}\n{_folded(abstract)}"


def has_needed_columns(columns: Iterable[object]) -> bool:
    """Whether a table with these columns can give papers."""
    names = {column_name(str(column)) for column in columns}
    return all(not names.isdisjoint(ALIASES[field]) for field in ("title", "abstract"))


@lru_cache(maxsize=1024)
def column_name(column: str) -> str:
    """A column's name as `ALIASES` spells it."""
    return "".join(char for char in column.casefold() if char.isalnum())


def is_paper_column(column: str) -> bool:
    """Whether a paper is made from this column, among others."""
    return any(column_name(column) in names for names in ALIASES.values())


def paper_of(row: Row, origin: str, adapt: Adapt = as_it_is) -> Paper | Rejected:
    """The paper of a row as a reader gives it; `adapt` makes a row of ours of a dialect's."""
    if isinstance(row.fields, str):
        return Rejected(origin, row.line, row.fields)
    return paper_from(adapt(row.fields), origin=origin, line=row.line)


def paper_from(row: Mapping[str, object], *, origin: str, line: int) -> Paper | Rejected:
    """The paper a row holds, or why it holds none. Text keeps its inner line breaks."""
    fields = {column_name(str(key)): value for key, value in row.items() if value is not None}
    texts: dict[str, str] = {}
    for field in ("title", "abstract"):
        text = _first(fields, field)
        reason = _unfit(field, text)
        if reason:
            return Rejected(origin, line, reason)
        texts[field] = tidy(str(text))
    title, abstract = " ".join(texts["title"].split()), texts["abstract"]
    return Paper(
        paper_id=_source_id(fields) or content_id(title, abstract),
        title=title,
        abstract=abstract,
        year=_year(_first(fields, "year")),
        url=_url(_first(fields, "url")),
        venue=_short_text(_first(fields, "venue")),
        authors=_authors(_first(fields, "authors")),
        origins=(origin,),
    )


def tidy(text: str) -> str:
    r"""NUL and lone surrogates become U+FFFD, line ends `\n`; outer white space goes."""
    text = _REPLACED_CHARS.sub("\ufffd", text)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def _first(fields: Mapping[str, object], field: str) -> object:
    """The value under the field's best alias that holds something; else None."""
    values = (fields.get(alias) for alias in ALIASES[field])
    return next((value for value in values if not _is_blank(value)), None)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unfit(field: str, value: object) -> str:
    """Why a title or abstract cannot stand; empty when it can."""
    if value is None:
        return f"no {field}"
    if not isinstance(value, str):
        return f"the {field} is not text but {type(value).__name__}"
    if len(value) > MAX_FIELD_CHARS:
        return f"the {field} is longer than {MAX_FIELD_CHARS:,} characters"
    return ""


def _short_text(value: object) -> str | None:
    """One line of text, or None; whoever writes a novel into a venue gets none."""
    if not isinstance(value, str) or len(value) > 2_000:
        return None
    return " ".join(tidy(value).split()) or None


def _source_id(fields: Mapping[str, object]) -> str | None:
    for alias in ALIASES["id"]:
        value = fields.get(alias)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        text = _short_text(value)
        if text:
            return _DOI_PREFIX.sub("", text).lower() if alias == "doi" else text
    return None


def _year(value: object) -> int | None:
    """A year from 1000 to 2100 out of `2020`, `2020.0`, `"2020-05-01"` or a date; else None."""
    if isinstance(value, datetime.date):
        return value.year
    if isinstance(value, str):
        found = _YEAR.match(value)
        value = int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1000 <= value <= 2100 and value == int(value) else None


def _url(value: object) -> str | None:
    text = _short_text(value)
    if text is None or " " in text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None


def _authors(value: object) -> tuple[str, ...]:
    """Names out of a list, of objects with a `name`, or of `A and B` or `A; B`."""
    if isinstance(value, str):
        value = _AUTHOR_BREAK.split(value)
    if not isinstance(value, list | tuple):
        return ()
    named = (item.get("name") if isinstance(item, Mapping) else item for item in value)
    return tuple(name for name in map(_short_text, named) if name)
