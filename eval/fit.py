"""Fits the shipped logistic weights (`rag/data/*.json`) on questions over papers that are not ours.

    python -m eval.fit --data FOLDER        FOLDER holds abstract_qa.jsonl.gz, abstract_qa_papers.jsonl.gz
                                            and grounded_qa/clapnq_a.jsonl

The papers are dealt into collections of 160, about the size of the shipped corpus; every question is asked
of the collection that holds its paper and, as one that nothing answers, of the next one. Questions
about papers that trained the embedder are left out; of the others, one half fits what is measured on
the other half, and what ships is fitted on both. Neither the shipped corpus nor eval/questions is touched.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.written import Item, crossed, is_training_place, load, read_lines
from rag.checks import fault
from rag.confidence import answer_features
from rag.evidence import Scored, candidates_of, score, sentence_features
from rag.index import open_index
from rag.indexing import ingest_papers
from rag.ingest import collection_root, open_embedder
from rag.logistic import LogisticModel
from rag.models.encoder import QueryEncoder
from rag.retriever import HybridRetriever, sentence_cosines
from rag.settings import Settings
from rag.types import Paper, Passage
from rag.verifier import support_features

GROUPS = 7
TARGET = Path(__file__).parent.parent / "rag" / "data"
Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to a collection: what came back."""

    question: str
    passages: list[Passage]
    candidates: list  # type: ignore[type-arg]
    idf: object


class Collections:
    """The dealt collections, indexed by the product's own code."""

    def __init__(self, papers: list[Paper], settings: Settings) -> None:
        embedder = open_embedder(settings)
        self.encoder = QueryEncoder(embedder.model, kept=20_000)
        self._indexes, self._retrievers = [], []
        for group in range(GROUPS):
            root = collection_root(settings, f"fit-{group}")
            ingest_papers(root, papers[group::GROUPS], embedder, settings)
            index = open_index(root)
            self._indexes.append(index)
            self._retrievers.append(HybridRetriever(index=index, settings=settings, encoder=self.encoder))

    def ask(self, question: str, group: int) -> Asked:
        """Retrieve from one collection."""
        passages = self._retrievers[group].passages(question)
        index = self._indexes[group]
        rows = sentence_cosines(index, self.encoder, question, [p.paper for p in passages])
        return Asked(question, passages, candidates_of(passages, rows), index.lexical.idf)


def fit(rows: list[Features], labels: list[bool], weights: list[float] | None = None) -> LogisticModel:
    """L2-regularised logistic regression on standardised features, folded back to plain weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    names = sorted(rows[0])
    matrix = np.array([[row[name] for name in names] for row in rows])
    scaler = StandardScaler().fit(matrix)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(matrix), labels, weights)
    slopes = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - slopes @ scaler.mean_)
    return LogisticModel(bias, {n: float(w) for n, w in zip(names, slopes, strict=True)})


def save(name: str, model: LogisticModel, report: dict[str, float]) -> None:
    """Write the weights with what was measured on the held-out half."""
    record = {
        "bias": round(model.bias, 4),
        "weights": {key: round(value, 4) for key, value in sorted(model.weights.items())},
        "fitted_by": "python -m eval.fit",
        "held_out": {key: round(value, 4) for key, value in report.items()},
    }
    (TARGET / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(name, json.dumps(record, indent=1), flush=True)  # noqa: T201


def is_training(item: Item) -> bool:
    """Of the others, papers at 3 modulo 5 fit what is measured at 4; what ships is fitted on both."""
    return item.paper % 5 == 3


def bears(item: Item, candidate: object) -> bool:
    """A sentence of the right paper that overlaps the written evidence."""
    start, end = candidate.start, candidate.end  # type: ignore[attr-defined]
    return any(start < stop and begin < end for begin, stop in item.spans)


def fit_evidence(asked: list[tuple[Item, Asked]], papers: list[Paper]) -> LogisticModel:
    """Which sentence bears on the question."""
    rows, labels, first_fold = [], [], []
    for item, found in asked:
        for features, label in _sentence_rows(item, found, papers):
            rows.append(features)
            labels.append(label)
            first_fold.append(is_training(item))
    model = fit(_where(rows, first_fold), _where(labels, first_fold))
    firsts, fives, count = 0, 0, 0
    for item, found in asked:
        if is_training(item):
            continue
        right = papers[item.paper].paper_id
        ranked = score(item.question, found.candidates, model, found.idf)  # type: ignore[arg-type]
        hits = [s.candidate.passage.paper.paper_id == right and bears(item, s.candidate) for s in ranked[:5]]
        firsts, fives, count = firsts + hits[0], fives + any(hits), count + 1
    shipped = fit(rows, labels)
    save("evidence", shipped, {"best_1": firsts / count, "best_5": fives / count, "n": count})
    return shipped


def _where(values: list[Any], chosen: list[bool]) -> list[Any]:
    return [value for value, keep in zip(values, chosen, strict=True) if keep]


def _sentence_rows(item: Item, found: Asked, papers: list[Paper]) -> Iterator[tuple[Features, bool]]:
    best = max(c.passage.score for c in found.candidates)
    right = papers[item.paper].paper_id
    for candidate in found.candidates:
        label = candidate.passage.paper.paper_id == right and bears(item, candidate)
        yield sentence_features(item.question, candidate, best, found.idf), label  # type: ignore[arg-type]


def fit_confidence(groups: dict[str, list[tuple[bool, Asked]]], model: LogisticModel) -> LogisticModel:
    """Answerable or not; each kind of question weighs a fixed share, answerable ones half of all."""
    shares = {"answerable": 0.5, "near": 0.2, "absent": 0.15, "far": 0.075, "crossed": 0.075}
    rows, labels, weights, first_fold = [], [], [], []
    held: list[tuple[str, Features]] = []
    for name, members in groups.items():
        for train, found in members:
            ranked: list[Scored] = score(found.question, found.candidates, model, found.idf)  # type: ignore[arg-type]
            features = answer_features(found.question, found.passages, ranked, found.idf)  # type: ignore[arg-type]
            rows.append(features)
            labels.append(name == "answerable")
            weights.append(shares[name] / len(members) * 1000)
            first_fold.append(train)
            if not train:
                held.append((name, features))
    fitted = fit(_where(rows, first_fold), _where(labels, first_fold), _where(weights, first_fold))
    report = {}
    for threshold in (0.3, 0.4, 0.5):
        for name in groups:
            mine = [fitted.probability(f) >= threshold for n, f in held if n == name]
            report[f"{name}_kept_at_{threshold}"] = float(np.mean(mine))
    shipped = fit(rows, labels, weights)
    save("confidence", shipped, report)
    return shipped


def fit_support(items: list[Item], papers: list[Paper], encoder: QueryEncoder) -> LogisticModel:
    """Written answers against written wrong answers, and against evidence of other sentences."""
    pairs: list[tuple[bool, bool, str, str]] = []
    for item in items:
        if item.answer is None or item.wrong is None:
            continue
        paper = papers[item.paper]
        told = "\n".join([paper.title, *(paper.abstract[a:b] for a, b in item.spans)])
        other = "\n".join([paper.title, _elsewhere(paper, item)])
        pairs.append((is_training(item), True, item.answer, told))
        pairs.append((is_training(item), False, item.wrong, told))
        pairs.append((is_training(item), False, item.answer, other))
    texts = list(dict.fromkeys(t for pair in pairs for t in pair[2:]))
    vectors = dict(zip(texts, encoder.passages(texts), strict=True))
    rows = [support_features(s, e, float(vectors[s] @ vectors[e])) for _, _, s, e in pairs]
    training = [i for i, pair in enumerate(pairs) if pair[0]]
    model = fit([rows[i] for i in training], [pairs[i][1] for i in training])
    shipped = fit(rows, [pair[1] for pair in pairs])
    save("support", shipped, _support_report(pairs, rows, model))
    return shipped


def _elsewhere(paper: Paper, item: Item) -> str:
    """A stretch of the same abstract away from the evidence."""
    from rag.chunking import sentence_spans

    spans = [
        (a, b)
        for a, b in sentence_spans(paper.abstract)
        if not any(a < stop and begin < b for begin, stop in item.spans)
    ]
    return paper.abstract[slice(*spans[len(item.question) % len(spans)])] if spans else ""


def _support_report(
    pairs: list[tuple[bool, bool, str, str]], rows: list[Features], model: LogisticModel
) -> dict[str, float]:
    """Of held-out pairs: share of right and of wrong sentences that pass checks and threshold."""
    report: dict[str, float] = {}
    held = [i for i, pair in enumerate(pairs) if not pair[0]]
    sound = {i: fault(pairs[i][2], pairs[i][3]) is None for i in held}
    report["right_pass_checks"] = float(np.mean([sound[i] for i in held if pairs[i][1]]))
    report["wrong_pass_checks"] = float(np.mean([sound[i] for i in held if not pairs[i][1]]))
    for bar in (0.4, 0.5, 0.6, 0.7):
        passed = {i: sound[i] and model.probability(rows[i]) >= bar for i in held}
        report[f"right_pass_at_{bar}"] = float(np.mean([passed[i] for i in held if pairs[i][1]]))
        report[f"wrong_pass_at_{bar}"] = float(np.mean([passed[i] for i in held if not pairs[i][1]]))
    return report


def main() -> None:
    """Fit all three models in the order in which they depend on one another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=["support"], default=None)
    arguments = parser.parse_args()
    papers, items = load(arguments.data)
    items = [item for item in items if not is_training_place(item.paper)]
    collections = Collections(papers, Settings.load())
    clapnq = [row["question"] for row in read_lines(arguments.data / "grounded_qa/clapnq_a.jsonl")]
    collections.encoder.queries([*(item.question for item in items), *clapnq])
    fit_support(items, papers, collections.encoder)
    if arguments.only:
        return
    answerable = [item for item in items if item.answer is not None]
    own = [(item, collections.ask(item.question, item.paper % GROUPS)) for item in answerable]
    evidence = fit_evidence(own, papers)
    unanswerable = [item for item in items if item.answer is None]
    groups = {
        "answerable": [(is_training(i), found) for i, found in own],
        "near": [(is_training(i), collections.ask(i.question, i.paper % GROUPS)) for i in unanswerable],
        "absent": [
            (is_training(i), collections.ask(i.question, (i.paper + 1) % GROUPS)) for i in answerable[::2]
        ],
        "far": [(n % 2 == 0, collections.ask(q, n % GROUPS)) for n, q in enumerate(clapnq)],
        "crossed": [(n % 4 < 2, collections.ask(q, g)) for n, (q, g) in enumerate(crossed(papers, GROUPS))],
    }
    fit_confidence(groups, evidence)


if __name__ == "__main__":
    main()
