"""The written sets as they lie in a folder, and what was written since."""

from __future__ import annotations

import gzip
from pathlib import Path

from eval.written.questions import is_validation, read_lines
from rag.ingest import corpus_files, read_collection
from training.sources import ITEMS, rows


def test_what_was_written_since_is_read_behind_the_set_of_the_same_name(tmp_path: Path) -> None:
    """The folder of this test holds no natural questions but one."""
    with gzip.open(tmp_path / "abstract_qa_natural.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write('{"id": "own"}\n')
    found = [row["id"] for row in rows(tmp_path, "abstract_qa_natural")]
    assert found[0] == "own"
    assert len(found) > 2000
    assert len(set(found)) == len(found)


def test_what_was_written_since_is_apart_from_what_validates_and_from_the_corpus() -> None:
    papers = [row["id"] for row in read_lines(ITEMS / "abstract_qa_natural_papers.jsonl.gz")]
    for name in ("abstract_qa_multi", "followups"):
        for row in read_lines(ITEMS / f"{name}.jsonl.gz"):
            papers += [paper["id"] for paper in row.get("papers") or row["group_papers"]]
    assert not any(is_validation(paper) for paper in papers)
    titles = {paper.title.casefold() for paper in read_collection(corpus_files(), None)[0]}
    shown = {row["title"].casefold() for row in read_lines(ITEMS / "abstract_qa_natural_papers.jsonl.gz")}
    assert not titles & shown
