"""Fine-tunes MiniLM for this job: a question, often oblique, next to the sentence that answers it.

    pip install -e ".[train]"
    python -m training.embedder --data FOLDER --out RUN

Data: the project's own written questions (abstract_qa*.jsonl.gz), papers at places 0, 1, 2 modulo 5; the
others measure the run (at 3) and fit the logistic weights (training/logistic.py). None is in the shipped
corpus. Loss: multiple negatives ranking (Henderson et al., 2017) over in-batch and one mined negative. The
word embeddings stay as they are, so that what ships is a difference of 10.6 M numbers: `training/ship.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rag.models.weights import resolve
from rag.settings import Settings
from training import runs
from training.examples import Example, abstracts, of_groups, of_numbers, of_one_paper

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
    from transformers import BertModel

SEED = 20261122


def pairs(data: Path) -> list[tuple[str, str, str]]:
    """(question, positive, paper id): each written question with the sentences that answer it."""
    held = {paper.id for place, paper in enumerate(abstracts(data)) if not is_training_place(place)}
    found = []
    for example in of_one_paper(data):
        for _, sentence in example.evidence[:2]:
            found.append(_pair(example, 0, [sentence]))
    for example in of_numbers(data):
        if example.answer:
            found.append(_pair(example, 0, [sentence for _, sentence in example.evidence]))
    for example in of_groups(data):
        for number, sentence in example.evidence:
            found.append(_pair(example, number, [sentence]))
    return [pair for pair in found if pair[2] not in held]


def is_training_place(place: int) -> bool:
    """Of the papers of abstract_qa those at places 0, 1, 2 modulo 5."""
    return place % 5 < 3


def _pair(example: Example, number: int, sentences: Sequence[int]) -> tuple[str, str, str]:
    paper = example.papers[number]
    text = " ".join(paper.sentences[sentence] for sentence in sentences)
    return example.question, f"{paper.title}. {text}", paper.id


def with_negatives(found: list[tuple[str, str, str]], model: SentenceTransformer) -> dict[str, list[str]]:
    """Columns anchor, positive, negative: a near text of another paper, not the nearest few of all."""
    questions = model.encode([q for q, _, _ in found], normalize_embeddings=True)
    texts = model.encode([t for _, t, _ in found], normalize_embeddings=True)
    owners = np.array([owner for _, _, owner in found])
    negatives = []
    for number, scores in enumerate(questions @ texts.T):
        order = [i for i in np.argsort(-scores)[:60] if owners[i] != owners[number]]
        negatives.append(found[order[random.randrange(min(10, len(order)))]][1])
    return {
        "anchor": [q for q, _, _ in found],
        "positive": [t for _, t, _ in found],
        "negative": negatives,
    }


def evaluator(data: Path) -> InformationRetrievalEvaluator:
    """Right paper first and within five, over the papers at places 3 modulo 5."""
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    papers = {paper.id: paper for paper in abstracts(data)[3::5]}
    corpus: dict[str, Any] = {key: f"{paper.title}. {paper.text}" for key, paper in papers.items()}
    asked = [e for e in of_one_paper(data) if e.papers[0].id in papers and e.answer is not None]
    return InformationRetrievalEvaluator(
        queries={str(n): example.question for n, example in enumerate(asked)},
        corpus=corpus,
        relevant_docs={str(n): {example.papers[0].id} for n, example in enumerate(asked)},
        accuracy_at_k=[1, 5],
        mrr_at_k=[10],
        ndcg_at_k=[10],
        precision_recall_at_k=[5],
        map_at_k=[10],
        name="held_out",
    )


def main() -> None:
    """Train, evaluate each epoch, keep the final weights."""
    parser = runs.parser(__doc__, seed=SEED, epochs=1, batch=48, rate=5e-5, counted="pairs")
    arguments = runs.begin(parser, threads=None)
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    base = resolve("all-MiniLM-L6-v2", Settings.load())
    model = SentenceTransformer(str(base.path), device="cpu")
    model.max_seq_length = 96
    cast("BertModel", model[0].auto_model).embeddings.word_embeddings.weight.requires_grad_(False)
    found = pairs(arguments.data)[: arguments.limit]
    judge = evaluator(arguments.data)
    before = judge(model)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=runs.settings_of(
            arguments,
            SentenceTransformerTrainingArguments,
            per_device_train_batch_size=arguments.batch,
            warmup_ratio=0.1,
            bf16=False,
            save_strategy="no",
            logging_steps=10,
            remove_unused_columns=True,
        ),
        train_dataset=Dataset.from_dict(with_negatives(found, model)),
        loss=MultipleNegativesRankingLoss(model),
    )
    runs.train(trainer, arguments.out)
    model.max_seq_length = 256
    model.save(str(arguments.out / "model"))
    record = {"before": before, "after": judge(model), "pairs": len(found), "log": trainer.state.log_history}
    runs.keep_record(record, arguments.out)


if __name__ == "__main__":
    main()
