"""How well papers and evidence are found, by the names of the field.

Kernels work on ids and grades, best hit first; the functions on (`Gold`, `Answer`) feed them paper titles.
A chunk is named by its paper, so several chunks of one paper collapse to the best placed one: a paper is
credited once. Queries without a relevant paper have no score: None, left out of means as trec_eval does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from eval.questions.questions import Gold
from rag.types import Answer, Evidence

Grades = Mapping[str, float]


def collapsed(ranked: Sequence[str]) -> list[str]:
    """Each id once, where it stands first: chunk hits to paper hits."""
    return list(dict.fromkeys(ranked))


def recall_at_k(grades: Grades, ranked: Sequence[str], k: int) -> float | None:
    """Recall@k = |relevant in the first k| / |relevant| (Manning et al., 2008, section 8.3).

    Relevant: grade above 0. Zero cases: None when nothing is relevant; 0.0 when nothing was found.
    """
    relevant = {name for name, grade in grades.items() if grade > 0}
    if not relevant:
        return None
    return len(relevant & set(collapsed(ranked)[:k])) / len(relevant)


def mrr_at_k(grades: Grades, ranked: Sequence[str], k: int = 10) -> float | None:
    """Reciprocal rank of the first relevant hit within k (Voorhees, 1999; MRR@10 as in MS MARCO).

    The mean over queries is MRR@k. Zero cases: None when nothing is relevant; 0.0 when none is within k.
    """
    if not any(grade > 0 for grade in grades.values()):
        return None
    for rank, name in enumerate(collapsed(ranked)[:k], start=1):
        if grades.get(name, 0.0) > 0:
            return 1.0 / rank
    return 0.0


def ndcg_at_k(grades: Grades, ranked: Sequence[str], k: int = 10) -> float | None:
    """nDCG@k = DCG@k / DCG@k of the best order, DCG = sum of grade / log2(rank + 1).

    Järvelin and Kekäläinen (2002) with linear gains, as trec_eval and BEIR compute it. Grades below 0 count
    as 0. Zero cases: None when nothing is relevant; 0.0 when nothing relevant is within k.
    """
    ideal = _dcg(sorted((max(grade, 0.0) for grade in grades.values()), reverse=True)[:k])
    if ideal == 0.0:
        return None
    return _dcg([max(grades.get(name, 0.0), 0.0) for name in collapsed(ranked)[:k]]) / ideal


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def gold_grades(gold: Gold) -> dict[str, float]:
    """Every gold title with grade 1."""
    return dict.fromkeys(gold.titles, 1.0)


def ranked_titles(answer: Answer) -> list[str]:
    """The titles of the retrieved passages, best first."""
    return [passage.paper.title for passage in answer.passages]


def recall_at(gold: Gold, answer: Answer, k: int) -> float | None:
    """`recall_at_k` on the titles of a question and its answer."""
    return recall_at_k(gold_grades(gold), ranked_titles(answer), k)


def mrr_at(gold: Gold, answer: Answer, k: int = 10) -> float | None:
    """`mrr_at_k` on the titles of a question and its answer."""
    return mrr_at_k(gold_grades(gold), ranked_titles(answer), k)


def ndcg_at(gold: Gold, answer: Answer, k: int = 10) -> float | None:
    """`ndcg_at_k` on the titles of a question and its answer."""
    return ndcg_at_k(gold_grades(gold), ranked_titles(answer), k)


def evidence_recall(gold: Gold, answer: Answer) -> float | None:
    """Share of the gold evidence spans that overlap a sentence shown to the model.

    Overlap is of character offsets in the stored abstract (SQuAD-style spans, any length above 0).
    Zero cases: None without gold evidence; 0.0 when nothing was shown.
    """
    found = _found(gold, answer)
    return sum(found) / len(found) if found else None


def evidence_shown(gold: Gold, answer: Answer) -> float | None:
    """Share of the gold evidence spans that overlap a quote shown with the answer.

    Zero cases: None without gold evidence; 0.0 when nothing was shown.
    """
    shown = [(citation.title, quote.text) for citation in answer.citations for quote in citation.quotes]
    found = [
        any(title == own and (text in told or told in text) for own, told in shown)
        for title, text in gold.evidence
    ]
    return sum(found) / len(found) if found else None


def evidence_any(gold: Gold, answer: Answer) -> float | None:
    """1.0 when at least one gold evidence span overlaps a shown sentence, else 0.0; None without gold."""
    found = _found(gold, answer)
    return float(any(found)) if found else None


def _found(gold: Gold, answer: Answer) -> list[bool]:
    return [
        any(item.paper.title == title and _overlaps(item, text) for item in answer.trace.evidence)
        for title, text in gold.evidence
    ]


def _overlaps(shown: Evidence, text: str) -> bool:
    """Whether the shown sentence and the gold text share a character of the abstract.

    Gold text that does not stand in the abstract (it was trimmed or cleaned) falls back on containment.
    """
    begin = shown.paper.abstract.find(text) if text else -1
    if begin < 0:
        return bool(text) and (text in shown.text or shown.text in text)
    return begin < shown.end and shown.start < begin + len(text)
