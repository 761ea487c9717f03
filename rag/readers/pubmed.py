"""PubMed XML: the yearly baseline, its updates, and what E-utilities send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rag.readers.rows import paper_from
from rag.readers.source import Source
from rag.readers.xml import elements, text_of
from rag.types import Paper, Rejected

_SET = re.compile(r"<(?:PubmedArticleSet|PubmedArticle)\b")
_PUBMED = "https://pubmed.ncbi.nlm.nih.gov/"


def sniff(source: Source) -> bool:
    """Whether the file begins as a set of PubMed's articles does."""
    return source.head_text.lstrip().startswith("<") and _SET.search(source.head_text) is not None


def read(source: Source) -> Iterator[Paper | Rejected]:
    """The papers of a file; ids are `pmid:` and the number.

    :raises ReadError: if the file cannot be read, or declares entities.
    """
    for found in elements(source, "PubmedArticle"):
        if isinstance(found, Rejected):
            yield found
        else:
            line, article = found
            yield paper_from(_row(article), origin=source.origin, line=line)


def _row(article: Element) -> dict[str, object]:
    number = text_of(article.find("MedlineCitation/PMID"))
    inner = article.find("MedlineCitation/Article")
    inner = inner if inner is not None else article
    date = inner.find("Journal/JournalIssue/PubDate")
    return {
        "id": f"pmid:{number}" if number else None,
        "title": text_of(inner.find("ArticleTitle")),
        "abstract": "\n".join(filter(None, map(_section, inner.findall("Abstract/AbstractText")))),
        "year": text_of(date.find("Year")) or text_of(date.find("MedlineDate")) if date is not None else None,
        "venue": text_of(inner.find("Journal/Title")),
        "authors": [_name(author) for author in inner.findall("AuthorList/Author")],
        "url": f"{_PUBMED}{number}/" if number else None,
    }


def _section(text: Element) -> str:
    """A section of a structured abstract, its label before it."""
    label, words = text.get("Label"), text_of(text)
    return f"{label}: {words}" if label and words else words


def _name(author: Element) -> str:
    given = text_of(author.find("ForeName")) or text_of(author.find("Initials"))
    return f"{given} {text_of(author.find('LastName'))}".strip() or text_of(author.find("CollectiveName"))
