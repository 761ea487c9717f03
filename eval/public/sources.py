"""SciFact and PubMedQA line by line, as they lie in a folder: one reader for measuring and for training.

`retrieval_sets` and `verification_sets` make sets of them; `training.verifier_pairs` reads the rationales and
the conclusions, which no measurement needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from eval.public.rows import PublicRow, read_rows


class CorpusRow(PublicRow):
    """An abstract of a corpus."""

    id: str
    title: str
    abstract: str


class ClaimRow(PublicRow):
    """A claim of SciFact and the abstracts it was written from."""

    qid: str
    claim: str
    cited_ids: list[str]


class Rationale(PublicRow):
    """Sentences (by number, from 0) of one abstract that decide a claim."""

    doc_id: str
    sentence_ids: list[int]


class ClaimRationales(PublicRow):
    """A claim of SciFact with every rationale; `evidence` is empty where no abstract decides it."""

    claim: str
    cited_ids: list[str]
    evidence: list[Rationale]


class _Sentences(PublicRow):
    id: str
    sentences: list[str]


class LabelledPair(PublicRow):
    """A claim beside evidence."""

    pid: str
    claim: str
    evidence: str
    label: Literal["SUPPORT", "CONTRADICT", "NOT_ENOUGH_INFO"]


class ScifactPair(LabelledPair):
    """A pair of SciFact: beside rationale sentences or a whole abstract."""

    level: Literal["rationale", "abstract"]


class PubmedqaQuestion(PublicRow):
    """A question of PubMedQA and its abstract."""

    qid: str
    question: str
    gold_ids: list[str]


class PubMedConclusion(PublicRow):
    """What the authors of an abstract concluded from it, as PubMedQA took it away: its long answer."""

    gold_ids: list[str]
    long_answer: str


def scifact_claims(folder: Path) -> Iterator[ClaimRow]:
    """The train claims, in order."""
    return read_rows(folder / "scifact/claims_train.jsonl", ClaimRow)


def scifact_rationales(folder: Path) -> Iterator[ClaimRationales]:
    """The train claims with their rationales, in order."""
    return read_rows(folder / "scifact/claims_train.jsonl", ClaimRationales)


def scifact_sentences(folder: Path) -> dict[str, list[str]]:
    """Abstract id -> its sentences, as rationales count them."""
    rows = read_rows(folder / "scifact/corpus.jsonl.gz", _Sentences)
    return {row.id: row.sentences for row in rows}


def scifact_labelled(folder: Path) -> Iterator[ScifactPair]:
    """Train claims beside evidence, with labels, in order."""
    return read_rows(folder / "scifact/verify_pairs_train.jsonl", ScifactPair)


def pubmedqa_questions(folder: Path) -> Iterator[PubmedqaQuestion]:
    """Half of the labelled questions, in order."""
    return read_rows(folder / "pubmedqa/questions_dev.jsonl", PubmedqaQuestion)


def pubmedqa_conclusions(folder: Path) -> Iterator[PubMedConclusion]:
    """The conclusions of the same questions, in order."""
    return read_rows(folder / "pubmedqa/questions_dev.jsonl", PubMedConclusion)


def pubmedqa_abstracts(folder: Path) -> dict[str, str]:
    """Abstract id -> its text, without its conclusion."""
    rows = read_rows(folder / "pubmedqa/corpus.jsonl.gz", CorpusRow)
    return {row.id: row.abstract for row in rows}
