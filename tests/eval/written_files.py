"""Tiny written collections: the files that `eval.written` and `training` read, with rows as wanted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def paper(name: str) -> Row:
    """A paper of two sentences."""
    return {"id": name, "title": f"Title {name}", "sentences": [f"First of {name}.", f"Second of {name}."]}


def single(name: str, doc: str, **other: Any) -> Row:
    """A question of one paper, carried by its second sentence."""
    own = {"id": name, "doc": doc, "type": "plain", "question": f"What of {doc}?", "answer": "It is 2."}
    return {**own, "wrong_answer": "It is 3.", "evidence": [1], **other}


def numeric(name: str, own: Row, **other: Any) -> Row:
    """A question for a figure, with its paper."""
    found = single(name, own["id"], type="numeric", **other)
    del found["doc"]
    return {**found, "paper": own}


def group(name: str, papers: Sequence[Row], /, **other: Any) -> Row:
    """A question over several papers: the first tells by its first sentence, the second by its second."""
    told = [{"text": f"Told {n}.", "evidence": [[n, n]]} for n in range(min(2, len(papers)))]
    own = {"id": name, "type": "fact", "question": "Which?", "papers": list(papers), "answer": "Both."}
    evidence = [[n, n] for n in range(min(2, len(papers)))]
    return {**own, "wrong_answer": None, "evidence": evidence, "answer_sentences": told, **other}


def multi(name: str, papers: Sequence[Row], /, **other: Any) -> Row:
    """A question that each of these papers answers in part, by its first sentence."""
    parts = [{"paper": n, "answer": f"Part {p['id']}.", "evidence": [0]} for n, p in enumerate(papers)]
    own = {"id": name, "type": "collect", "question": "Who?", "papers": list(papers), "parts": parts}
    return {**own, "not": [], "summary": "All.", "wrong_summary": "None.", **other}


def talk(name: str, papers: Sequence[Row], /, **other: Any) -> Row:
    """A follow-up about the first paper."""
    said = [{"role": "user", "content": "Before?"}, {"role": "assistant", "content": "That."}]
    own = {"id": name, "kind": "pronoun", "group_papers": list(papers), "papers": [0], "history": said}
    return {**own, "question": "And it?", "standalone": "And p?", "changed": True, "answer": "Yes.", **other}


def write(folder: Path, **rows: Sequence[Row]) -> Path:
    """All files of a data folder; those that are not named (by their last word) are empty."""
    names = {
        "papers": "abstract_qa_papers", "qa": "abstract_qa", "numeric": "abstract_qa_numeric",
        "groups": "abstract_qa_groups", "multi": "abstract_qa_multi", "followups": "followups",
    }  # fmt: skip
    for sister in ("oblique", "natural"):
        names |= {f"{sister}_papers": f"abstract_qa_{sister}_papers", sister: f"abstract_qa_{sister}"}
    assert set(rows) <= set(names)
    for name, file in names.items():
        text = "".join(json.dumps(row) + "\n" for row in rows.get(name, ()))
        (folder / f"{file}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder
