"""Metrics by their published names: formula, source and zero cases stand in each docstring. All pure.

- `retrieval`: recall@k, MRR@k, nDCG@k on papers; evidence recall
- `answers`: must-contain, token F1, refusals, coverage, citations by title, invented numbers
- `selective`: risk-coverage curve, AURC
- `citations`: ALCE citation recall and precision, faithfulness; they take a judge
- `judges`, `alignment`, `agreement`: the judge, what it reads, how far it agrees with hand labels
- `calibration`: ECE, Brier, reliability bins
- `discrimination`: AUC, balanced accuracy, precision and recall of a score at a bar
- `statistics`: bootstrap intervals, paired differences, latency percentiles
"""

from eval.metrics.agreement import agreement, read_labels
from eval.metrics.answers import (
    answer_f1,
    coverage,
    false_refusal_rate,
    has_answer,
    has_right_citation,
    is_correct,
    is_correct_and_short,
    is_refusal,
    mean,
    refusal_recall,
    title_precision,
    title_recall,
    token_f1,
    unsupported_number_rate,
)
from eval.metrics.calibration import brier, expected_calibration_error, reliability_bins
from eval.metrics.citations import (
    citation_precision,
    citation_recall,
    citation_scores,
    cited_sentences,
    faithfulness,
    verdicts,
)
from eval.metrics.judges import Judge, RougeLStrict
from eval.metrics.retrieval import (
    evidence_any,
    evidence_recall,
    evidence_shown,
    mrr_at,
    ndcg_at,
    recall_at,
)
from eval.metrics.selective import aurc, excess_aurc, risk_at_coverage, risk_coverage
from eval.metrics.statistics import (
    bootstrap_interval,
    latency_by_stage,
    latency_percentiles,
    paired_bootstrap,
)

__all__ = [
    "Judge", "RougeLStrict", "agreement", "answer_f1", "aurc", "bootstrap_interval", "brier",
    "citation_precision", "citation_recall", "citation_scores", "cited_sentences", "coverage",
    "evidence_any", "evidence_recall", "evidence_shown", "excess_aurc", "expected_calibration_error",
    "faithfulness", "false_refusal_rate", "has_answer", "has_right_citation", "is_correct",
    "is_correct_and_short", "is_refusal",
    "latency_by_stage", "latency_percentiles", "mean", "mrr_at", "ndcg_at", "paired_bootstrap",
    "read_labels", "recall_at", "refusal_recall", "reliability_bins", "risk_at_coverage",
    "risk_coverage", "title_precision", "title_recall", "token_f1", "unsupported_number_rate",
    "verdicts",
]  # fmt: skip
