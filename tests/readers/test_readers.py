"""Every format gives the same papers, and nothing that could not be read goes unsaid."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rag
from rag.errors import ReadError
from rag.readers import FORMATS, merge_duplicates, read_papers, source
from rag.readers.bibtex import plain
from rag.readers.rows import content_id
from rag.types import Paper, Rejected

CORPUS = Path(rag.__file__).parent / "data" / "corpus"
FIXTURES = Path(__file__).parents[1] / "fixtures" / "readers"
SHARED_DATA = os.environ.get("CITEWISE_SHARED_DATA")
Row = dict[str, object]


def read(path: Path) -> tuple[list[Paper], list[Rejected]]:
    rejected: list[Rejected] = []
    return list(read_papers(path, rejected)), rejected


def lines_of(rejected: list[Rejected]) -> list[int]:
    return [row.line for row in rejected]


# --- the default corpus -------------------------------------------------------------------------


def test_the_corpus_has_163_pairs_and_159_papers_of_which_4_stand_on_both_pages() -> None:
    papers, rejected = read(CORPUS)
    replaced: list[Paper] = []
    merged = merge_duplicates(papers, replaced)
    assert (len(papers), len(merged), rejected, replaced) == (163, 159, [], [])
    twice = [paper for paper in merged if len(paper.origins) == 2]
    pages = ("000_2598303e49b1e7af.txt", "001_5d0d9fca663ebed1.txt")
    assert [paper.origins for paper in twice] == [pages] * 4


@pytest.mark.parametrize(("page", "pairs"), [("000_2598303e49b1e7af", 87), ("001_5d0d9fca663ebed1", 76)])
def test_a_listing_page_alone(page: str, pairs: int) -> None:
    papers, rejected = read(CORPUS / f"{page}.txt")
    assert (len(papers), rejected) == (pairs, [])
    assert {paper.origins for paper in papers} == {(f"{page}.txt",)}


def test_the_shipped_pages_are_those_the_note_names() -> None:
    note = (CORPUS / "README.md").read_text()
    for page in CORPUS.glob("0*.txt"):
        assert hashlib.sha256(page.read_bytes()).hexdigest() in note


def test_text_is_stored_as_it_came() -> None:
    papers, _ = read(CORPUS)
    pages = [page.read_text() for page in sorted(CORPUS.glob("0*.txt"))]
    assert all(any(f"{p.title}\n\n{p.abstract}" in page for page in pages) for p in papers)


# --- round trips --------------------------------------------------------------------------------


def made_rows(count: int) -> list[Row]:
    return [
        {
            "id": f"x:{number}",
            "title": f'Paper {number}: "quotes", commas; and ünïcode — {number % 7}',
            "abstract": f"We gain {number}.5 points, a lot. It's 'fine'; see https://a.org/{number}.",
            "year": 1990 + number % 30,
            "venue": f"Venue {number % 5}",
            "authors": [f"Ann Ä. Lee{number}", "Bo Ng"],
            "url": f"https://example.org/{number}",
        }
        for number in range(count)
    ]


def write_jsonl(rows: list[Row], path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_json(rows: list[Row], path: Path) -> None:
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")


def write_table(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows({**row, "authors": " and ".join(row["authors"])} for row in rows)


def write_bibtex(rows: list[Row], path: Path) -> None:
    entries = (
        f"@article{{{row['id']},\n  title = {{{braced(row['title'])}}},\n"
        f"  abstract = {{{braced(row['abstract'])}}},\n  year = {{{row['year']}}},\n"
        f"  journal = {{{row['venue']}}},\n  author = {{{' and '.join(row['authors'])}}},\n"
        f"  url = {{{row['url']}}}\n}}\n"
        for row in rows
    )
    path.write_text("\n".join(entries), encoding="utf-8")


def braced(text: str) -> str:
    """A value whose braces balance, as BibTeX demands."""
    depth = 0
    for char in text.replace("\\{", "").replace("\\}", ""):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            break
    return text if depth == 0 else text.replace("{", "").replace("}", "")


def write_parquet(rows: list[Row], path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


WRITERS: dict[str, Callable[[list[Row], Path], None]] = {
    "papers.jsonl": write_jsonl,
    "papers.json": write_json,
    "papers.csv": write_table,
    "papers.tsv": write_table,
    "papers.bib": write_bibtex,
    "papers.parquet": write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_gives_the_same_papers(name: str, tmp_path: Path) -> None:
    rows = made_rows(200)
    WRITERS[name](rows, tmp_path / name)
    papers, rejected = read(tmp_path / name)
    assert rejected == []
    assert papers == [
        Paper(
            paper_id=row["id"],
            title=row["title"],
            abstract=row["abstract"],
            year=row["year"],
            url=row["url"],
            venue=row["venue"],
            authors=tuple(row["authors"]),
            origins=(name,),
        )
        for row in rows
    ]


@pytest.mark.parametrize("name", WRITERS)
def test_a_format_is_known_by_its_content(name: str, tmp_path: Path) -> None:
    WRITERS[name](made_rows(5), tmp_path / name)
    renamed = (tmp_path / name).rename(tmp_path / "papers.dat")
    assert len(read(renamed)[0]) == 5


@pytest.mark.parametrize("name", WRITERS)
def test_gzip_is_looked_through(name: str, tmp_path: Path) -> None:
    WRITERS[name](made_rows(5), tmp_path / name)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert [paper.paper_id for paper in read(packed)[0]] == [f"x:{n}" for n in range(5)]


@pytest.mark.skipif(not SHARED_DATA, reason="CITEWISE_SHARED_DATA is not set")
@pytest.mark.parametrize("name", WRITERS)
def test_a_large_collection_is_whole_in_every_format(name: str, tmp_path: Path) -> None:
    with gzip.open(Path(str(SHARED_DATA)) / "abstracts_42k.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    WRITERS[name](rows, tmp_path / name)
    papers, rejected = read(tmp_path / name)
    assert rejected == []
    assert [paper.paper_id for paper in papers] == [row["id"] for row in rows]


# --- bad rows -----------------------------------------------------------------------------------

BAD_ROWS = {
    "bad_rows.jsonl": (
        ["good-1", "12"],
        [
            (2, "no abstract"),
            (3, "no title"),
            (4, "not a JSON object but list"),
            (5, "invalid JSON"),
            (7, "the title is not text but int"),
            (8, "the abstract is not text but list"),
            (9, "the abstract is not text but float"),
        ],
    ),
    "bad_rows.csv": (
        ["First good row", "Two lines", "Last good row"],
        [
            (3, "the row has 2 columns, the header 3"),
            (4, "the row has 4 columns, the header 3"),
            (5, "no title"),
            (6, "no abstract"),
            (10, "broken quoting"),
            (11, "broken quoting"),
        ],
    ),
    "bad_entries.bib": (
        ["good2020", "10.1000/abc", "2401.00001"],
        [
            (13, "no abstract"),
            (15, "malformed entry"),
            (22, "the citation key 'good2020' is already used on line 4"),
            (24, "not a BibTeX entry"),
            (26, "a field is given twice: title"),
        ],
    ),
    "bad_page.txt": (
        ["A First Title", "A Second Title", "A Third Title", "A Fourth Title"],
        [
            (11, "an abstract without a title"),
            (13, "a title without an abstract"),
            (27, "a title without an abstract"),
        ],
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_are_named_by_line_and_the_others_kept(name: str) -> None:
    kept, reasons = BAD_ROWS[name]
    papers, rejected = read(FIXTURES / name)
    assert [p.paper_id if not p.paper_id.startswith("p-") else p.title for p in papers] == kept
    assert lines_of(rejected) == [line for line, _ in reasons]
    for row, (_, reason) in zip(rejected, reasons, strict=True):
        assert row.reason.startswith(reason)
        assert row.origin == name


def test_strange_characters_are_replaced() -> None:
    papers, _ = read(FIXTURES / "bad_rows.jsonl")
    assert papers[1].abstract == "A NUL \ufffd and half a pair \ufffd here."
    papers[1].abstract.encode()


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.jsonl", b'{"title": "ok", "abstract": "ok"}\n{"title": "caf\xe9", "abstract": "x"}\n', 2),
        ("a.json", b'[{"title": "ok", "abstract": "ok"},\n{"title": "caf\xe9", "abstract": "x"}]', 2),
        ("a.csv", b"title,abstract\nok,ok\n\ncaf\xe9,x\n", 4),
        ("a.bib", b"@a{k,title={ok},abstract={ok}}\n\n@a{l,title={caf\xe9},abstract={x}}\n", 3),
    ],
)
def test_a_row_that_is_no_utf8_is_rejected_alone(
    name: str, content: bytes, line: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    papers, rejected = read(tmp_path / name)
    assert [paper.title for paper in papers] == ["ok"]
    assert rejected == [Rejected(name, line, "not valid UTF-8")]


def test_invalid_utf8_in_parquet_is_rejected_by_row(tmp_path: Path) -> None:
    texts = pa.array([b"ok", b"caf\xe9", b"fine"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"title": texts, "abstract": ["a", "b", "c"]}), tmp_path / "a.parquet")
    papers, rejected = read(tmp_path / "a.parquet")
    assert [paper.title for paper in papers] == ["ok", "fine"]
    assert rejected == [Rejected("a.parquet", 2, "not valid UTF-8")]


def test_fields_over_a_million_characters_are_rejected(tmp_path: Path) -> None:
    rows = [{"title": "long", "abstract": "x" * 1_000_001}, {"title": "ok", "abstract": "fine"}]
    write_jsonl(rows, tmp_path / "a.jsonl")
    (tmp_path / "a.csv").write_text(f'title,abstract\nlong,"{"x" * 1_000_001}"\nok,fine\n')
    for name in ("a.jsonl", "a.csv"):
        papers, rejected = read(tmp_path / name)
        assert ([paper.title for paper in papers], lines_of(rejected)) == (["ok"], [1 + (name == "a.csv")])
    assert csv.field_size_limit() == 131_072


def test_a_line_without_end_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_LINE_BYTES", 100)
    path = tmp_path / "a.jsonl"
    long = json.dumps({"title": "long", "abstract": "x" * 1_000})
    path.write_text(f'{long}\n{{"title": "ok", "abstract": "fine"}}\n')
    papers, rejected = read(path)
    assert ([paper.title for paper in papers], lines_of(rejected)) == (["ok"], [1])


@pytest.mark.parametrize(
    ("text", "titles", "lines"),
    [
        ('[{"title": "a", "abstract": "b"},\n\n {"title": "c", "abstract": "d"}]', ["a", "c"], []),
        ('[{"title": "a", "abstract": "b"},\n {"title": "c" "abstract"}]', ["a"], [2]),
        ('[{"title": "a", "abstract": "b"}\n {"title": "c", "abstract": "d"}]', ["a", "c"], [2]),
        ('[{"title": "a", "abstract": "b"},\n', ["a"], [2]),
        ('[{"title": "a", "abstract": "b"},\n 3, null]', ["a"], [2, 2]),
    ],
)
def test_json_arrays(text: str, titles: list[str], lines: list[int], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    papers, rejected = read(tmp_path / "a.json")
    assert ([paper.title for paper in papers], lines_of(rejected)) == (titles, lines)


def test_deep_json_does_not_overflow(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"title":"a","abstract":"b"}\n' + '{"title":' + "[" * 100_000 + "\n")
    papers, rejected = read(tmp_path / "a.jsonl")
    assert (len(papers), lines_of(rejected)) == (1, [2])


def test_a_header_quoted_oddly_is_still_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"Title" ,abstract\nOne,Two\nThree,Four\n')
    papers, rejected = read(tmp_path / "a.csv")
    assert ([paper.title for paper in papers], rejected) == (["One", "Three"], [])


def test_bibtex_faults_go_nowhere_but_into_rejections(capsys: pytest.CaptureFixture[str]) -> None:
    read(FIXTURES / "bad_entries.bib")
    assert capsys.readouterr() == ("", "")


def test_tsv_without_quoting_keeps_its_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('title\tabstract\n"Good" or bad?\tOne.\n"Open\tTwo.\nLast\tThree.\n')
    papers, rejected = read(tmp_path / "a.tsv")
    assert [paper.title for paper in papers] == ['"Good" or bad?', '"Open', "Last"]
    assert rejected == []


# --- what a row may say --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("year", "2020", 2020),
        ("year", 2020.0, 2020),
        ("date", "2020-05-01", 2020),
        ("year", "20200", None),
        ("year", 99, None),
        ("year", 2101, None),
        ("year", True, None),
        ("year", float("nan"), None),
        ("year", float("inf"), None),
        ("url", "https://a.org/b", "https://a.org/b"),
        ("link", "http://a.org", "http://a.org"),
        ("url", "javascript:alert(1)", None),
        ("url", "https://", None),
        ("url", "https://[", None),
        ("url", "https://a.org/ b", None),
        ("authors", "A. Lee and B. Ng", ("A. Lee", "B. Ng")),
        ("authors", "A. Lee; B. Ng;", ("A. Lee", "B. Ng")),
        ("authors", ["A", " ", 3, "B"], ("A", "B")),
        ("authors", [{"name": "A"}, {"name": None}], ("A",)),
        ("authors", 5, ()),
        ("journal", "J. of\n Things", "J. of Things"),
        ("id", 5, "5"),
        ("paper_id", "abc", "abc"),
        ("DOI", "https://doi.org/10.1/AB", "10.1/ab"),
        ("arxiv_id", "2401.00001", "2401.00001"),
        ("id", True, content_id("T", "A")),
        ("id", " ", content_id("T", "A")),
    ],
)
def test_values(field: str, value: object, expected: object, tmp_path: Path) -> None:
    row = {"title": "T", "abstract": "A", field: value}
    write_jsonl([row], tmp_path / "a.jsonl")
    ((paper,), _) = read(tmp_path / "a.jsonl")
    names = {"date": "year", "link": "url", "journal": "venue"}
    attribute = names.get(field, "paper_id" if "id" in field.lower() or field == "DOI" else field)
    assert getattr(paper, attribute) == expected


@pytest.mark.parametrize("header", ["Title,Summary", "paper_title;Abstract Text", "PAPER TITLE\tabstract"])
def test_column_aliases_and_delimiters(header: str, tmp_path: Path) -> None:
    delimiter = next(sign for sign in ";\t," if sign in header)
    (tmp_path / "a.csv").write_bytes(f"\ufeff{header}\r\nOne{delimiter}Two\r\n".encode())
    papers, rejected = read(tmp_path / "a.csv")
    assert [(p.title, p.abstract) for p in papers] == [("One", "Two")]
    assert rejected == []


def test_bibtex_spelling_is_undone_and_latex_kept() -> None:
    paper = read(FIXTURES / "bad_entries.bib")[0][0]
    assert paper.title == "BERT and Öl: a Study"
    assert paper.abstract == r"We gain 5% with $\alpha_{1}$ and \emph{care}. NLP is fun~indeed."
    assert paper.authors == ("Jane Doe", "Jérôme Müller", "The Team")
    assert (paper.venue, paper.year) == ("Proceedings of Things", 2020)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{T}ext {\\textasciitilde}5 {\\%} {\\_}x", "Text ~5 % _x"),
        ("50% of {$}5 Q&A", "50% of $5 Q&A"),
        ("{\\o}re, Stra{\\ss}e, {\\L}ukasz", "øre, Straße, Łukasz"),
        ("$\\mathbb{R}^{d}$ and \\textbf{bold} {Big}", "$\\mathbb{R}^{d}$ and \\textbf{bold} Big"),
        ("two\n   lines", "two lines"),
    ],
)
def test_bibtex_values(value: str, expected: str) -> None:
    assert plain(value) == expected


def test_the_content_id_ignores_case_blanks_and_composition() -> None:
    one = content_id("Naïve  Things", "An abstract.\nTwo lines.")
    other = content_id(unicodedata.normalize("NFD", "naïve things"), "An abstract. Two  lines.")
    assert one == other
    assert content_id("T", "A") == "p-" + hashlib.sha256(b"t\na").hexdigest()[:12]


# --- plain text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["A title\n\nThe abstract.", "A title\r\nThe abstract.", "\n\nA\ntitle\n\nAbstract:\n\nThe abstract.\n"],
)
def test_one_paper_per_text_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    papers, rejected = read(tmp_path / "a.txt")
    assert [(p.title, p.abstract) for p in papers] == [("A title", "The abstract.")]
    assert rejected == []


def test_a_paper_with_headed_sections_is_no_listing_page(tmp_path: Path) -> None:
    body = "A sentence that goes on for quite a while, as they do. " * 6
    text = "\n\n".join(["A title", "Abstract", body, "1. Introduction", body, "2. Methods", body])
    (tmp_path / "a.txt").write_text(text)
    assert [paper.title for paper in read(tmp_path / "a.txt")[0]] == ["A title"]


def test_a_text_without_an_abstract_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Only a title")
    assert read(tmp_path / "a.txt") == ([], [Rejected("a.txt", 1, "no abstract")])


# --- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.jsonl", b"\xef\xbb\xbf \n\n", "is empty"),
        ("a.csv", b"name,text\n1,2\n", "no column for the title"),
        ("a.csv", b"title;body\n1;2\n", "no column for the title or none for the abstract"),
        ("a.txt", bytes(range(256)) * 20, "neither text in UTF-8 nor Parquet"),
        ("a.pdf", b"%PDF-1.7\n", "is a PDF"),
        ("a.xlsx", b"PK\x03\x04rest", "Excel"),
        ("a.csv", "title,abstract\na,b\n".encode("utf-16"), "UTF-16"),
        ("a.parquet", b"PAR1 but not really", "damaged"),
        ("a.xyz", b"some words\n\nand more", "no known format"),
        ("a.json", b'{\n "papers": []\n}', "one JSON object over several lines"),
        ("a.jsonl.gz", gzip.compress(b'{"title": "a"}' * 9)[:20], "damaged"),
    ],
)
def test_unreadable_files_are_named_with_a_way_out(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read(tmp_path / name)
    assert said in caught.value.message
    assert name in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="does not exist"):
        read_papers(tmp_path / "none.csv", [])


def test_parquet_without_the_columns_names_those_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"title": ["a"], "body": ["b"]}), tmp_path / "a.parquet")
    with pytest.raises(ReadError, match="title, body"):
        read(tmp_path / "a.parquet")


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.jsonl.gz"
    bomb.write_bytes(gzip.compress(b'{"title": "a", "abstract": "b"}\n' + b" " * 40_000_000))
    with pytest.raises(ReadError, match="unpacks to more than"):
        read(bomb)


# --- folders --------------------------------------------------------------------------------------


def test_a_folder_is_read_in_order_without_what_is_no_paper(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/z.jsonl", ".hidden/c.jsonl", ".d.jsonl", "README.txt", "notes.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_jsonl([{"title": name, "abstract": "x"}], tmp_path / name)
    papers, rejected = read(tmp_path)
    assert [(p.title, p.origins) for p in papers] == [
        ("a/z.jsonl", ("a/z.jsonl",)),
        ("b.jsonl", ("b.jsonl",)),
    ]
    assert rejected == []


def test_a_bad_file_in_a_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 but not really")
    write_jsonl(made_rows(2), tmp_path / "c.jsonl")
    papers, rejected = read(tmp_path)
    assert len(papers) == 2
    assert [row.origin for row in rejected] == ["a.csv", "b.parquet"]


def test_a_folder_with_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ReadError, match="holds no file of papers"):
        read_papers(tmp_path, [])


# --- duplicates -----------------------------------------------------------------------------------


def test_the_same_words_unite_origins_and_fill_gaps() -> None:
    one = Paper("p", "T", "A", url="https://a.org", origins=("x",))
    again = Paper("p", "T ", "a", year=2020, url="https://b.org", origins=("y", "x"))
    replaced: list[Paper] = []
    assert merge_duplicates([one, again], replaced) == [
        Paper("p", "T", "A", year=2020, url="https://a.org", origins=("x", "y"))
    ]
    assert replaced == []


def test_new_words_under_an_old_id_win_and_are_reported() -> None:
    old, other, new = Paper("p", "T", "A"), Paper("q", "T", "A"), Paper("p", "T", "B")
    replaced: list[Paper] = []
    assert merge_duplicates([old, other, new], replaced) == [new, other]
    assert replaced == [old]


def test_every_format_is_on_the_list() -> None:
    names = [known.name for known in FORMATS]
    assert names == [
        "Parquet", "OpenAlex", "arXiv metadata", "CSL-JSON", "JSONL or JSON", "PubMed XML", "arXiv Atom",
        "RIS", "PubMed nbib", "BibTeX", "CSV or TSV", "listing page", "plain text",
    ]  # fmt: skip
