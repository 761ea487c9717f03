"""Retrieval sets: papers, queries and which papers are relevant to each, by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.public.rows import PublicRow, hint_of, read_rows
from eval.public.sources import CorpusRow, pubmedqa_questions, scifact_claims
from rag.errors import ReadError
from rag.types import Paper


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; `grades`: paper id -> grade, 0 or absent for what is not relevant."""

    id: str
    text: str
    grades: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A corpus and its queries."""

    papers: tuple[Paper, ...]
    queries: tuple[Query, ...]


class _Graded(PublicRow):
    qid: str
    question: str
    grades: dict[str, float]


def scifact(folder: Path) -> RetrievalSet:
    """SciFact: a claim finds the abstracts it was written from (`cited_ids`, as in BEIR), grade 1."""
    claims = scifact_claims(folder)
    queries = [Query(row.qid, row.claim, dict.fromkeys(row.cited_ids, 1.0)) for row in claims]
    return _set(folder / "scifact/corpus.jsonl.gz", queries)


def pubmedqa(folder: Path) -> RetrievalSet:
    """PubMedQA: a question finds its abstract. The questions are the titles: none is indexed."""
    rows = pubmedqa_questions(folder)
    queries = [Query(row.qid, row.question, dict.fromkeys(row.gold_ids, 1.0)) for row in rows]
    return _set(folder / "pubmedqa/corpus.jsonl.gz", queries, titles=False)


def cranfield(folder: Path) -> RetrievalSet:
    """Cranfield: graded from 1 (minor interest) to 4 (complete answer)."""
    rows = read_rows(folder / "cranfield/queries.jsonl", _Graded)
    queries = [Query(row.qid, row.question, row.grades) for row in rows]
    return _set(folder / "cranfield/corpus.jsonl.gz", queries)


def _set(corpus: Path, queries: list[Query], *, titles: bool = True) -> RetrievalSet:
    """The papers with the queries, once every relevant paper is there.

    :raises ReadError: if a query names a paper that the corpus does not hold.
    """
    rows = read_rows(corpus, CorpusRow)
    papers = tuple(Paper(row.id, row.title if titles else "", row.abstract) for row in rows)
    known = {paper.paper_id for paper in papers}
    for query in queries:
        if unknown := sorted(query.grades.keys() - known):
            told = f"{corpus}: holds no {unknown[0]!r}, which {query.id!r} is about"
            raise ReadError(told, hint=hint_of(CorpusRow))
    return RetrievalSet(papers, tuple(queries))
