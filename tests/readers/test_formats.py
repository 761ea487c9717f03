"""RIS, PubMed, arXiv, OpenAlex, CSL-JSON: the same paper out of each, bad records named, attacks refused."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from rag.errors import ReadError
from rag.readers import FORMATS, read_papers
from rag.readers.openalex import abstract_of
from rag.readers.source import open_source
from rag.types import Paper, Rejected

TITLE = "Monarch Mixer: a simple sub-quadratic architecture"
ABSTRACT = "Transformers scale quadratically. Monarch Mixer reaches 9.1x higher throughput, naïvely."
RIS = f"""
TY  - JOUR
AU  - Fu, Daniel
AU  - Ré, Christopher
TI  - Monarch Mixer: a simple
      sub-quadratic architecture
AB  - Transformers scale quadratically.
Monarch Mixer reaches 9.1x higher throughput, naïvely.
PY  - 2023/10/18/
JO  - Journal of Mixing
UR  - https://example.org/m2
DO  - 10.1000/M2
ER  -\x20

TY  - CONF
TI  - Without an abstract
ER  - \n
TY  - JOUR
T1  - Second: {TITLE}
N2  - {ABSTRACT}
Y1  - 2024
ID  - second
ER  -
"""
NBIB = f"""
PMID- 12345
OWN - NLM
TI  - Monarch Mixer: a simple
      sub-quadratic architecture
LID - 10.1000/m2 [doi]
AB  - Transformers scale quadratically. Monarch Mixer reaches 9.1x higher
      throughput, naïvely.
FAU - Fu, Daniel
AU  - Fu D
FAU - Ré, Christopher
AU  - Ré C
DP  - 2023 Oct 18
TA  - J Mix
JT  - Journal of Mixing

PMID- 12346
TI  - Without an abstract

PMID- 12347
TI  - Second: {TITLE}
AB  - {ABSTRACT}
"""
PUBMED = f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN"
 "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_240101.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">12345</PMID><Article>
  <Journal><JournalIssue><PubDate><Year>2023</Year></PubDate></JournalIssue>
    <Title>Journal of Mixing</Title></Journal>
  <ArticleTitle>Monarch <i>Mixer</i>: a simple sub-quadratic architecture</ArticleTitle>
  <Abstract><AbstractText>Transformers scale quadratically. Monarch Mixer reaches 9.1<sub>x</sub>
    higher throughput, naïvely.</AbstractText></Abstract>
  <AuthorList><Author><LastName>Fu</LastName><ForeName>Daniel</ForeName></Author>
    <Author><LastName>Ré</LastName><ForeName>Christopher</ForeName></Author></AuthorList>
</Article></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>12346</PMID><Article>
  <ArticleTitle>Without an abstract</ArticleTitle></Article></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>12347</PMID><Article>
  <Journal><JournalIssue><PubDate><MedlineDate>2024 Jan-Feb</MedlineDate></PubDate></JournalIssue></Journal>
  <ArticleTitle>Second: {TITLE}</ArticleTitle>
  <Abstract><AbstractText Label="BACKGROUND">Slow.</AbstractText>
  <AbstractText Label="RESULTS">Fast &amp; good.</AbstractText></Abstract>
  <AuthorList><Author><CollectiveName>The Mixers</CollectiveName></Author></AuthorList>
</Article></MedlineCitation></PubmedArticle>
</PubmedArticleSet>
"""
ATOM = f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title>ArXiv Query</title>
  <entry>
    <id>http://arxiv.org/abs/2310.12109v2</id>
    <title>Monarch Mixer: a simple
  sub-quadratic architecture</title>
    <summary>Transformers scale quadratically.
  Monarch Mixer reaches 9.1x higher throughput, naïvely.</summary>
    <published>2023-10-18T17:06:22Z</published>
    <author><name>Daniel Fu</name></author>
    <author><name>Christopher Ré</name></author>
    <arxiv:journal_ref>Journal of Mixing</arxiv:journal_ref>
  </entry>
  <entry><id>http://arxiv.org/abs/2310.12110v1</id><title>Without an abstract</title></entry>
  <entry><id>http://arxiv.org/abs/hep-th/9901001v1</id><title>Second: {TITLE}</title>
    <summary>{ABSTRACT}</summary></entry>
</feed>
"""
SNAPSHOT = [
    {
        "id": "2310.12109", "submitter": "D. Fu", "authors": "Daniel Fu, Christopher R\\'e", "title": TITLE,
        "journal-ref": "Journal of Mixing", "abstract": f"  {ABSTRACT.replace('. ', '.' + chr(10))}\n",
        "versions": [{"version": "v1", "created": "Wed, 18 Oct 2023 17:06:22 GMT"}],
        "update_date": "2024-01-01", "authors_parsed": [["Fu", "Daniel", ""], ["Ré", "Christopher", ""]],
    },
    {"id": "2310.12110", "title": "Without an abstract", "authors_parsed": []},
    {"id": "hep-th/9901001", "title": f"Second: {TITLE}", "abstract": ABSTRACT, "versions": "broken",
     "authors_parsed": [["X"], 3, []], "update_date": "2024-01-01"},
]  # fmt: skip
CSL = [
    {
        "id": "http://zotero.org/users/1/items/A", "type": "article-journal", "title": TITLE,
        "abstract": ABSTRACT, "container-title": "Journal of Mixing", "DOI": "10.1000/M2",
        "URL": "https://example.org/m2", "issued": {"date-parts": [["2023", 10, 18]]},
        "author": [{"family": "Fu", "given": "Daniel"}, {"family": "Ré", "given": "Christopher"}],
    },
    {"id": "b", "type": "article-journal", "title": "Without an abstract"},
    {"id": "second", "title": f"Second: {TITLE}", "abstract": ABSTRACT, "issued": {"raw": "2024"},
     "author": [{"literal": "The Mixers"}, 3]},
]  # fmt: skip


def inverted(text: str) -> dict[str, list[int]]:
    """An abstract as OpenAlex gives it."""
    index: dict[str, list[int]] = {}
    for place, word in enumerate(text.split()):
        index.setdefault(word, []).append(place)
    return index


OPENALEX = [
    {
        "id": "https://openalex.org/W4387", "doi": "https://doi.org/10.1000/m2", "display_name": TITLE,
        "title": TITLE, "publication_year": 2023, "abstract_inverted_index": inverted(ABSTRACT),
        "authorships": [{"author": {"display_name": n}} for n in ("Daniel Fu", "Christopher Ré")],
        "primary_location": {"source": {"display_name": "Journal of Mixing"}},
    },
    {"id": "https://openalex.org/W4388", "title": "Without an abstract", "abstract_inverted_index": None},
    {"id": "https://openalex.org/W4389", "title": f"Second: {TITLE}", "primary_location": {"source": None},
     "abstract_inverted_index": inverted(ABSTRACT), "authorships": [{"author": None}, 3]},
]  # fmt: skip
LINES = {"snapshot", "works"}
FILES: dict[str, tuple[str, str]] = {
    "papers.ris": ("RIS", RIS),
    "papers.nbib": ("PubMed nbib", NBIB),
    "papers.xml": ("PubMed XML", PUBMED),
    "feed.xml": ("arXiv Atom", ATOM),
    "snapshot.json": ("arXiv metadata", "".join(json.dumps(row) + "\n" for row in SNAPSHOT)),
    "page.json": ("OpenAlex", json.dumps({"meta": {"count": 3}, "results": OPENALEX}, indent=1)),
    "works.jsonl": ("OpenAlex", "".join(json.dumps(row) + "\n" for row in OPENALEX)),
    "works.json": ("OpenAlex", json.dumps(OPENALEX)),
    "csl.json": ("CSL-JSON", json.dumps(CSL, indent=2)),
}
IDS = {
    "papers.ris": ("10.1000/m2", "second"),
    "papers.nbib": ("pmid:12345", "pmid:12347"),
    "papers.xml": ("pmid:12345", "pmid:12347"),
    "feed.xml": ("2310.12109", "hep-th/9901001"),
    "snapshot.json": ("2310.12109", "hep-th/9901001"),
    "page.json": ("W4387", "W4389"),
    "works.jsonl": ("W4387", "W4389"),
    "works.json": ("W4387", "W4389"),
    "csl.json": ("10.1000/m2", "second"),
}
REJECTED_LINE = {
    "papers.ris": 15, "papers.nbib": 17, "papers.xml": 14, "feed.xml": 15, "snapshot.json": 2,
    "works.jsonl": 2, "works.json": 1,
}  # fmt: skip


def read(path: Path) -> tuple[list[Paper], list[Rejected]]:
    rejected: list[Rejected] = []
    return list(read_papers(path, rejected)), rejected


def written(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(FILES[name][1], encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FILES)
def test_the_same_paper_out_of_each(name: str, tmp_path: Path) -> None:
    papers, _ = read(written(tmp_path, name))
    assert tuple(paper.paper_id for paper in papers) == IDS[name]
    first, second = papers
    assert (first.title, first.abstract) == (TITLE, ABSTRACT)
    assert first.authors == ("Daniel Fu", "Christopher Ré")
    assert (first.year, first.venue) == (2023, "Journal of Mixing")
    assert first.url is not None
    assert first.origins == (name,)
    assert second.title == f"Second: {TITLE}"


@pytest.mark.parametrize("name", FILES)
def test_a_record_without_an_abstract_is_named_by_its_line(name: str, tmp_path: Path) -> None:
    _, (rejected,) = read(written(tmp_path, name))
    assert rejected.reason == "no abstract"
    text = FILES[name][1].split("\n")
    assert rejected.line == REJECTED_LINE.get(name, rejected.line)
    assert "Without an abstract" in " ".join(text[rejected.line - 1 : rejected.line + 6])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", [".txt", ".gz", ""])
def test_it_is_known_by_its_content(name: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"unnamed{suffix}"
    data = FILES[name][1].encode()
    path.write_bytes(gzip.compress(data) if suffix == ".gz" else data)
    source = open_source(path, path.name)
    assert next(known.name for known in FORMATS if known.sniff(source)) == FILES[name][0]
    assert len(read(path)[0]) == 2


def test_labels_of_a_structured_abstract_are_kept(tmp_path: Path) -> None:
    second = read(written(tmp_path, "papers.xml"))[0][1]
    assert second.abstract == "BACKGROUND: Slow.\nRESULTS: Fast & good."
    assert (second.year, second.authors) == (2024, ("The Mixers",))


def test_a_snapshot_with_odd_fields(tmp_path: Path) -> None:
    second = read(written(tmp_path, "snapshot.json"))[0][1]
    assert (second.year, second.authors) == (2024, ("X",))


@pytest.mark.parametrize(
    ("index", "abstract"),
    [
        ({"We": [0], "mix": [1, 3], "and": [2]}, "We mix and mix"),
        ({"b": [5], "a": [2]}, "a b"),
        ({}, None),
        (None, None),
        ("text", None),
        ({"a": "b", "c": [None, "1", -1, 10**9]}, None),
    ],
)
def test_inverted_indexes(index: object, abstract: str | None) -> None:
    assert abstract_of(index) == abstract


def test_text_before_the_first_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ris"
    path.write_text("Provider: somebody\n" + RIS, encoding="utf-8")
    papers, rejected = read(path)
    assert len(papers) == 2
    assert (rejected[0].line, rejected[0].reason[:16]) == (1, "before the first")


def test_a_record_that_is_no_utf8_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.nbib"
    path.write_bytes(NBIB.encode().replace("naïvely.\nFAU".encode(), b"na\xefvely.\nFAU"))
    papers, rejected = read(path)
    assert [paper.paper_id for paper in papers] == ["pmid:12347"]
    assert [(row.line, row.reason) for row in rejected] == [(2, "not valid UTF-8"), (17, "no abstract")]


@pytest.mark.parametrize("name", ["papers.xml", "feed.xml"])
def test_broken_xml_keeps_what_came_before(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name][1].replace("Second", "<Second"), encoding="utf-8")
    papers, rejected = read(path)
    assert len(papers) == 1
    assert "the rest is not read" in rejected[-1].reason
    assert rejected[-1].line > rejected[0].line


def test_xml_of_another_kind_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text("<html><body/></html>")
    assert read(path)[1] == [Rejected("other.xml", 1, "no <PubmedArticle> in it")]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
ATTACKS = {
    "laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
    "quadratic": f'<!DOCTYPE x [<!ENTITY l11 "{"ha" * 50_000}">]>',
    "file": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
    "address": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "http://example.org/x">]>',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["papers.xml", "feed.xml"])
def test_entities_are_refused_at_once(attack: str, name: str, tmp_path: Path) -> None:
    body = FILES[name][1].split("?>", 1)[1]
    if name == "papers.xml":
        body = body.split('.dtd">', 1)[1]
    path = tmp_path / name
    path.write_text(ATTACKS[attack] + body.replace(f"Second: {TITLE}", "&l11;"), encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(ReadError, match="entities"):
        read(path)
    assert time.monotonic() - began < 5


def test_a_large_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    """What is done with is let go: ten thousand articles, and few at a time in memory."""
    end = "</PubmedArticle>"
    article = PUBMED.partition("<PubmedArticleSet>")[2].partition(end)[0] + end
    path = tmp_path / "many.xml"
    with path.open("w", encoding="utf-8") as file:
        file.write("<PubmedArticleSet>")
        file.writelines(article.replace("12345", str(number)) for number in range(10_000))
        file.write("</PubmedArticleSet>")
    papers, rejected = read(path)
    assert (len(papers), rejected) == (10_000, [])
    assert len({paper.paper_id for paper in papers}) == 10_000
