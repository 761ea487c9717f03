"""Every written question as it may be asked of one paper: what `training.lessons` makes lessons from.

Sources, all written for this project over papers that are not in the shipped corpus: abstract_qa, its
oblique, natural and numeric sisters, groups and multi (a part of the answer for each paper), followups
(their stand-alone form).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.examples import Abstract
from training.sources import rows

# Questions and papers in two files each; the others carry their papers.
PAIRED = ("abstract_qa", "abstract_qa_oblique", "abstract_qa_natural")
LONGEST_ANSWER = 45  # words
_YES_NO = re.compile(r"(?i)(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may)\b")
_SAYS_SO = re.compile(r"(?i)(?:yes|no)\b")
_SILENT = re.compile(r"(?i)\bno (?:figure|result)|without (?:a )?figure")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the paper it is asked of, and what should be said; no answer: the paper does not tell."""

    paper: str
    type: str
    question: str
    answer: str | None
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The papers by their id, with the unit that is trained on or held out as a whole, and the questions."""

    papers: dict[str, Abstract]
    units: dict[str, str]
    asked: list[Asked]


def written(data: Path) -> Written:
    """All questions of a folder, in file order."""
    found = Written({}, {}, [])
    for name in PAIRED:
        for row in rows(data, f"{name}_papers"):
            _know(found, row, row["id"])
        for row in rows(data, name):
            _ask(found, row["doc"], row["type"], row["question"], row["answer"], row["wrong_answer"])
    for row in rows(data, "abstract_qa_numeric"):
        _know(found, row["paper"], row["paper"]["id"])
        _ask(found, row["paper"]["id"], row["type"], row["question"], row["answer"], row["wrong_answer"])
    for row in rows(data, "abstract_qa_groups"):
        _group(found, row)
    for row in rows(data, "abstract_qa_multi"):
        _multi(found, row)
    for row in rows(data, "followups"):
        _followup(found, row)
    return found


def is_yes_no(question: str) -> bool:
    """Whether a question wants yes or no; 'is it A or B?' does not."""
    return bool(_YES_NO.match(question)) and " or " not in question


def _group(found: Written, row: dict[str, Any]) -> None:
    """A group of three papers: each tells its sentences of the answer; distractors decline."""
    papers = [paper["id"] for paper in row["papers"]]
    for paper in row["papers"]:
        _know(found, paper, papers[0])
    question = row.get("standalone") or row["question"]
    telling = {number for number, _ in row["evidence"]}
    for number in sorted(telling):
        told = [part["text"] for part in row["answer_sentences"] if _only(part["evidence"]) == number]
        if told:
            _ask(found, papers[number], row["type"], question, " ".join(told))
    if row["type"] == "distractor":
        for number in set(range(len(papers))) - telling:
            _ask(found, papers[number], "not_distractor", question, None)


def _multi(found: Written, row: dict[str, Any]) -> None:
    """A group of four papers: the parts tell; what is listed under `not` declines."""
    papers = [paper["id"] for paper in row["papers"]]
    for paper in row["papers"]:
        _know(found, paper, papers[0])
    kind = {"two_facts": "two_facts", "single": "single"}.get(row["type"], f"multi_{row['type']}")
    for part in row["parts"]:
        if not _SILENT.search(part["answer"]):
            _ask(found, papers[part["paper"]], kind, row["question"], part["answer"])
    for number in row["not"]:
        _ask(found, papers[number], f"not_{row['type']}", row["question"], None)


def _followup(found: Written, row: dict[str, Any]) -> None:
    """A dialogue about one paper: its question in the stand-alone form."""
    papers = [paper["id"] for paper in row["group_papers"]]
    for paper in row["group_papers"]:
        _know(found, paper, found.units.get(papers[0], papers[0]))
    if row["changed"] and len(row["papers"]) == 1:
        _ask(found, papers[row["papers"][0]], "followup", row["standalone"], row["answer"])


def _know(found: Written, row: dict[str, Any], unit: str) -> None:
    found.papers.setdefault(row["id"], Abstract(row["id"], row["title"], tuple(row["sentences"])))
    found.units.setdefault(row["id"], unit)


def _ask(
    found: Written, paper: str, kind: str, question: str, answer: str | None, wrong: str | None = None
) -> None:
    """Keep a question, unless its answer is long or begins without the yes or no it was asked for."""
    if answer is not None:
        if len(answer.split()) > LONGEST_ANSWER:
            return
        if is_yes_no(question) and not _SAYS_SO.match(answer):
            return
    found.asked.append(Asked(paper, kind, question.strip(), answer, wrong))


def _only(evidence: list[list[int]]) -> int | None:
    """The one paper of these pairs of paper and sentence, if it is one."""
    papers = {paper for paper, _ in evidence}
    return papers.pop() if len(papers) == 1 else None
