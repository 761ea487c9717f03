"""Verification sets: claims beside evidence, and whether the evidence carries them.

Supported is what its authors label so; contradicted, unanswered and partly supported claims are all
not supported: at run time such a sentence must fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.public.rows import PublicRow, read_rows
from eval.public.sources import LabelledPair, scifact_labelled
from rag.text.marks import display
from rag.text.sentences import sentence_spans

SUPPORT = "SUPPORT"


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A claim and its evidence as the verifier reads it; `label` as the set tells it."""

    id: str
    claim: str
    evidence: str
    label: str
    supported: bool


class _Titled(LabelledPair):
    source_title: str


class _Wice(PublicRow):
    pid: str
    claim: str
    evidence_sentences: list[str]
    label: Literal["SUPPORT", "PARTIAL", "NOT_SUPPORTED"]


def scifact_pairs(folder: Path) -> list[ClaimPair]:
    """SciFact: claims beside rationale sentences, and beside whole abstracts."""
    return [_pair(row, kind=f"{row.label}, {row.level}") for row in scifact_labelled(folder)]


def healthver(folder: Path) -> list[ClaimPair]:
    """HealthVer, dev: health claims beside sentences of abstracts."""
    return [_pair(row) for row in read_rows(folder / "verify/healthver_dev.jsonl.gz", LabelledPair)]


def climate_fever(folder: Path) -> list[ClaimPair]:
    """Climate-FEVER: claims beside single Wikipedia sentences; the article's title stands above each."""
    rows = read_rows(folder / "verify/climate_fever.jsonl.gz", _Titled)
    return [_pair(row, title=row.source_title) for row in rows]


def covidfact(folder: Path) -> list[ClaimPair]:
    """COVID-Fact: its refuted claims are machine-made word swaps of the supported ones."""
    return [_pair(row) for row in read_rows(folder / "verify/covidfact.jsonl.gz", LabelledPair)]


def wice(folder: Path) -> list[ClaimPair]:
    """WiCE, dev: claims of Wikipedia beside whole cited pages; PARTIAL counts as not supported."""
    rows = read_rows(folder / "verify/wice_dev.jsonl.gz", _Wice)
    return [
        ClaimPair(row.pid, row.claim, "\n".join(row.evidence_sentences), row.label, row.label == SUPPORT)
        for row in rows
    ]


def _pair(row: LabelledPair, *, title: str = "", kind: str = "") -> ClaimPair:
    return ClaimPair(
        row.pid, row.claim, laid_out(row.evidence, title), kind or row.label, row.label == SUPPORT
    )


def laid_out(text: str, title: str = "") -> str:
    """Evidence as `rag.verify.grounding` gives it to the verifier: a title line, then a sentence a line."""
    sentences = [display(text[start:end]) for start, end in sentence_spans(text)]
    return "\n".join([*([display(title)] if title else []), *sentences])
