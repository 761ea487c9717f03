"""A folder of public sets, small enough to compute by hand: every file, a few lines each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

PAPERS = [
    {"id": "m", "title": "Monarch Mixer", "abstract": "Monarch Mixer is sub-quadratic. It is fast."},
    {"id": "r", "title": "Retro-Li", "abstract": "Retro-Li retrieves from a small memory. It is small."},
    {"id": "g", "title": "Natural GaLore", "abstract": "Natural GaLore saves optimizer memory."},
]
PAIR = {"pid": "p1", "claim": "Mixer is fast.", "evidence": "Mixer is fast. It is new.", "label": "SUPPORT"}
AGAINST = {**PAIR, "pid": "p2", "claim": "Mixer is slow.", "label": "CONTRADICT"}
BESIDE = {**PAIR, "pid": "p3", "claim": "Bananas grow.", "label": "NOT_ENOUGH_INFO"}
PAIRS = [PAIR, AGAINST, BESIDE]
PASSAGE = {"passage": "Monarch Mixer is sub-quadratic. It reaches 9.1times higher throughput."}
OTHER = {"passage": "Natural GaLore saves optimizer memory by 65.5% on RoBERTa."}

FILES: dict[str, list[dict[str, object]]] = {
    "scifact/corpus.jsonl.gz": PAPERS,
    "scifact/claims_train.jsonl": [
        {"qid": "s1", "claim": "Monarch Mixer is fast", "cited_ids": ["m"], "label": "SUPPORT"},
        {"qid": "s2", "claim": "optimizer memory is saved", "cited_ids": ["g", "r"], "label": "SUPPORT"},
    ],
    "scifact/verify_pairs_train.jsonl": [{**pair, "level": "rationale"} for pair in PAIRS],
    "pubmedqa/corpus.jsonl.gz": [{**paper, "title": "PubMed 1"} for paper in PAPERS],
    "pubmedqa/questions_dev.jsonl": [{"qid": "q1", "question": "Is it small?", "gold_ids": ["r"]}],
    "cranfield/corpus.jsonl.gz": PAPERS,
    "cranfield/queries.jsonl": [{"qid": "c1", "question": "memory", "grades": {"r": 4, "g": 1}}],
    "verify/healthver_dev.jsonl.gz": PAIRS,
    "verify/climate_fever.jsonl.gz": [{**pair, "source_title": "Mixers"} for pair in PAIRS],
    "verify/covidfact.jsonl.gz": PAIRS[:2],
    "verify/wice_dev.jsonl.gz": [
        {"pid": f"w{n}", "claim": "a b", "evidence_sentences": ["a.", "b."], "label": label}
        for n, label in enumerate(["SUPPORT", "PARTIAL", "NOT_SUPPORTED"])
    ],
    "grounded_qa/clapnq_a.jsonl": [
        {"qid": "n1", "question": "Is Monarch Mixer sub-quadratic?", "answerable": True}
        | {"passage_title": "Monarch Mixer", **PASSAGE},
        {"qid": "n2", "question": "Who sang it?", "answerable": False, "passage_title": "GaLore", **OTHER},
    ],
    "grounded_qa/squad2_a.jsonl.gz": [
        {"qid": "d1", "question": "What does GaLore save?", "answerable": True, "title": "GaLore", **OTHER},
        {"qid": "d2", "question": "What does GaLore lose?", "answerable": False, "title": "GaLore", **OTHER},
    ],
}


def put(folder: Path, *names: str) -> Path:
    """The files of these names (default: all) in the folder."""
    for name in names or FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{json.dumps(row)}\n" for row in FILES[name]).encode()
        path.write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    return folder
