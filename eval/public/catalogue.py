"""Every public set: its files in the folder, whose it is, under which licence, how to read its figures.

Nothing of a set is in this project. Sources and licences are as their publishers state them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.public import answerability_sets, retrieval_sets, verification_sets
from eval.public.answerability_sets import Answerability
from eval.public.retrieval_sets import RetrievalSet
from eval.public.verification_sets import ClaimPair

Kind = Literal["retrieval", "verification", "answerability"]
Loaded = RetrievalSet | Answerability | list[ClaimPair]


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set as it lies in a folder; `about` says what a reader of its figures must know."""

    name: str
    kind: Kind
    files: tuple[str, ...]
    source: str
    licence: str
    about: str
    load: Callable[[Path], Loaded]

    def missing(self, folder: Path) -> list[str]:
        """The files that are not there."""
        return [name for name in self.files if not (folder / name).is_file()]


_SETS = (
    PublicSet(
        "scifact",
        "retrieval",
        ("scifact/corpus.jsonl.gz", "scifact/claims_train.jsonl"),
        "Wadden et al., EMNLP 2020",
        "claims CC BY 4.0, abstracts ODC-By 1.0",
        "Train claims over all abstracts; relevant are the cited ones. BEIR reports the dev claims.",
        retrieval_sets.scifact,
    ),
    PublicSet(
        "pubmedqa",
        "retrieval",
        ("pubmedqa/corpus.jsonl.gz", "pubmedqa/questions_dev.jsonl"),
        "Jin et al., EMNLP 2019",
        "MIT",
        "Half of the labelled questions over all 1,000 abstracts; titles are the questions: not indexed.",
        retrieval_sets.pubmedqa,
    ),
    PublicSet(
        "cranfield",
        "retrieval",
        ("cranfield/corpus.jsonl.gz", "cranfield/queries.jsonl"),
        "Cleverdon, 1967",
        "none stated",
        "Aerodynamics, graded 1 to 4, all lower case.",
        retrieval_sets.cranfield,
    ),
    PublicSet(
        "scifact-pairs",
        "verification",
        ("scifact/verify_pairs_train.jsonl",),
        "Wadden et al., EMNLP 2020",
        "claims CC BY 4.0, abstracts ODC-By 1.0",
        "Claims beside rationale sentences and beside whole abstracts; train half.",
        verification_sets.scifact_pairs,
    ),
    PublicSet(
        "healthver",
        "verification",
        ("verify/healthver_dev.jsonl.gz",),
        "Sarrouti et al., Findings of EMNLP 2021",
        "none stated",
        "Claims in everyday words, evidence in those of abstracts.",
        verification_sets.healthver,
    ),
    PublicSet(
        "wice",
        "verification",
        ("verify/wice_dev.jsonl.gz",),
        "Kamoi et al., EMNLP 2023",
        "annotations ODC-By 1.0",
        "Whole web pages as evidence, far longer than what the product shows; PARTIAL counts as not "
        "supported.",
        verification_sets.wice,
    ),
    PublicSet(
        "climate-fever",
        "verification",
        ("verify/climate_fever.jsonl.gz",),
        "Diggelmann et al., 2020",
        "none stated",
        "Five Wikipedia sentences a claim, each judged alone.",
        verification_sets.climate_fever,
    ),
    PublicSet(
        "covid-fact",
        "verification",
        ("verify/covidfact.jsonl.gz",),
        "Saakyan et al., ACL 2021",
        "none stated",
        "Refuted claims are machine-made: one or two words swapped.",
        verification_sets.covidfact,
    ),
    PublicSet(
        "clapnq",
        "answerability",
        ("grounded_qa/clapnq_a.jsonl",),
        "Rosenthal et al., TACL 2025",
        "Apache-2.0",
        "All passages are one collection. Its questions, asked of scientific papers as ones that nothing "
        "answers, took part in fitting the confidence.",
        answerability_sets.clapnq,
    ),
    PublicSet(
        "squad2",
        "answerability",
        ("grounded_qa/squad2_a.jsonl.gz",),
        "Rajpurkar et al., ACL 2018",
        "CC BY-SA 4.0",
        "All passages are one collection; unanswerable questions were written to look answerable.",
        answerability_sets.squad2,
    ),
)
SETS: dict[str, PublicSet] = {one.name: one for one in _SETS}
