"""Trains the verifier: MiniLM reading a claim and its evidence, one output: supported or not.

    python -m training.verifier --data FOLDER --out RUN

Supported: written answers, whole and compressed evidence sentences, SciFact's supported claims. Not:
written wrong answers, answers with one number, unit, name, negation or direction changed, answers on other
sentences of the paper or on neighbouring papers, SciFact's other claims.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from eval.written import read_lines
from rag.models.judge import PAIR_TOKENS_MAX
from rag.models.merge import merged
from rag.models.resolve import resolve
from rag.models.windows import pair_of
from rag.settings import Settings
from training import runs
from training.examples import Abstract, Example, split
from training.hard_negatives import nearest, plain_tokens, pool_of
from training.perturbations import CHANGES, compressed, other_number

SEED = 20261127
BATCH = 24


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim with evidence: a title line, then sentences, one a line."""

    claim: str
    evidence: str
    supported: bool
    kind: str


def told_by(paper: Abstract, numbers: Sequence[int]) -> str:
    """What a claim that cites the paper may rest on."""
    return "\n".join([paper.title, *(paper.sentences[n] for n in sorted(numbers))])


def pairs_of(example: Example, others: list[Abstract], rng: random.Random) -> Iterator[Pair]:
    """All pairs of one example."""
    parts = example.parts or (((example.answer, example.evidence),) if example.answer else ())
    if not example.answerable:
        yield from _of_unanswerable(example, rng)
        return
    number = example.evidence[0][0]
    paper = example.papers[number]
    gold = [s for p, s in example.evidence if p == number]
    if example.wrong and all(p == number for p, _ in example.evidence):
        yield Pair(example.wrong, told_by(paper, _with_noise(paper, gold, rng)), False, "written wrong")
    elif example.wrong:
        yield from _swapped(example)
    for text, told in parts:
        if text and all(p == told[0][0] for p, _ in told):
            source = example.papers[told[0][0]]
            yield from _of_answer(text, source, [s for _, s in told], others, rng)


def _of_answer(
    text: str, paper: Abstract, gold: list[int], others: list[Abstract], rng: random.Random
) -> Iterator[Pair]:
    evidence = told_by(paper, _with_noise(paper, gold, rng))
    yield Pair(text, evidence, True, "written answer")
    changes = list(CHANGES)
    rng.shuffle(changes)
    if any(c.isdigit() for c in text):
        changes.insert(0, other_number)
    made = 0
    for change in changes:
        changed = change(text, evidence, rng)
        if changed and changed != text and changed not in evidence and made < 2:
            made += 1
            yield Pair(changed, evidence, False, change.__name__)
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    if rest:
        elsewhere = rng.sample(rest, min(len(rest), rng.choice([1, 2, 3])))
        yield Pair(text, told_by(paper, elsewhere), False, "other sentences")
    if others and rng.random() < 0.5:
        other = rng.choice(others[:4])
        numbers = rng.sample(range(len(other.sentences)), min(2, len(other.sentences)))
        yield Pair(text, told_by(other, numbers), False, "other paper")
    if rng.random() < 0.35:
        sentence = paper.sentences[rng.choice(gold)]
        short = compressed(sentence, rng)
        claim = short if short and rng.random() < 0.8 else sentence
        yield Pair(claim, evidence, True, "compressed")


def _of_unanswerable(example: Example, rng: random.Random) -> Iterator[Pair]:
    paper = example.papers[0]
    numbers = rng.sample(range(len(paper.sentences)), min(3, len(paper.sentences)))
    if example.wrong:
        yield Pair(example.wrong, told_by(paper, numbers), False, "invented")


def _swapped(example: Example) -> Iterator[Pair]:
    """A wrong answer over several papers: against all evidence of its first paper."""
    number = example.evidence[0][0]
    gold = [s for p, s in example.evidence if p == number]
    yield Pair(example.wrong or "", told_by(example.papers[number], gold), False, "swapped papers")


def _with_noise(paper: Abstract, gold: Sequence[int], rng: random.Random) -> list[int]:
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    return [*gold, *rng.sample(rest, min(len(rest), rng.choice([0, 0, 1, 2, 3])))]


def scifact(data: Path) -> Iterator[Pair]:
    """SciFact's rationale and abstract pairs (CC BY 4.0)."""
    for row in read_lines(data / "scifact" / "verify_pairs_train.jsonl"):
        yield Pair(row["claim"], row["evidence"], row["label"] == "SUPPORT", f"scifact {row['label']}")


class VerifyingModel(nn.Module):
    """BERT and one linear output on the first token."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import AutoModel

        # One epoch: there is nothing to overfit yet, and dropout costs 40 % of the time on a CPU.
        without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.bert = AutoModel.from_pretrained(folder, add_pooling_layer=False, **without)
        self.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        self.heads = nn.Linear(self.bert.config.hidden_size, 1)
        nn.init.normal_(self.heads.weight, std=0.02)
        nn.init.zeros_(self.heads.bias)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Logits of shape (pairs,)."""
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        logits = self.heads(hidden[:, 0].float())[:, 0]
        out = {"logits": logits}
        if labels is not None:
            out = {"loss": functional.binary_cross_entropy_with_logits(logits, labels), **out}
        return out


Row = tuple[list[int], int, float]  # token numbers, how many are the claim's, 1.0 when supported


def rows_of(pairs: Sequence[Pair], tokenizer: Any) -> list[Row]:
    """What the model reads of each pair, in order."""
    claims = plain_tokens(tokenizer, [pair.claim for pair in pairs])
    evidence = plain_tokens(tokenizer, [pair.evidence for pair in pairs])
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    rows = []
    for pair, claim, told in zip(pairs, claims, evidence, strict=True):
        ids, first = pair_of(claim, told, special=special, tokens_max=PAIR_TOKENS_MAX)
        rows.append((ids, first, float(pair.supported)))
    return rows


def padded(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Rows as one batch, in order."""
    length = max(len(ids) for ids, _, _ in rows)
    ids, mask, kinds = (torch.zeros((len(rows), length), dtype=torch.long) for _ in range(3))
    for i, (tokens, first, _) in enumerate(rows):
        ids[i, : len(tokens)] = torch.tensor(tokens)
        mask[i, : len(tokens)] = 1
        kinds[i, first : len(tokens)] = 1
    labels = torch.tensor([label for _, _, label in rows])
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds, "labels": labels}


class Batches(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Batches of about equal length, in random order."""

    def __init__(self, pairs: Sequence[Pair], tokenizer: Any, *, size: int, seed: int) -> None:
        rng = random.Random(seed)
        order = sorted(rows_of(pairs, tokenizer), key=lambda row: (len(row[0]), rng.random()))
        self._batches = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        return padded(self._batches[place])


def scores(model: nn.Module, tokenizer: Any, pairs: Sequence[Pair]) -> np.ndarray:
    """Logits in the order of the pairs, read in batches of about equal length."""
    found = np.zeros(len(pairs))
    rows = rows_of(pairs, tokenizer)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            batch = padded([rows[i] for i in part])
            del batch["labels"]
            found[part] = model(**batch)["logits"].float().numpy()
    model.train()
    return found


def judged(logits: np.ndarray, pairs: Sequence[Pair]) -> dict[str, Any]:
    """AUC, balanced accuracy at probability one half and at the best bar, and pass rates by kind."""
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    truth = np.array([pair.supported for pair in pairs])
    bars = np.quantile(logits, np.linspace(0.02, 0.98, 97))
    best = max(bars, key=lambda bar: balanced_accuracy_score(truth, logits >= bar))
    kinds = sorted({pair.kind for pair in pairs})
    passed = {k: round(float(np.mean(logits[[p.kind == k for p in pairs]] >= 0)), 3) for k in kinds}
    return {
        "auc": float(roc_auc_score(truth, logits)),
        "balanced_accuracy": float(balanced_accuracy_score(truth, logits >= 0)),
        "balanced_accuracy_best": float(balanced_accuracy_score(truth, logits >= best)),
        "best_bar": float(best),
        "passed_by_kind": passed,
        "pairs": len(pairs),
    }


def all_pairs(
    chosen: Sequence[Example], pool: Sequence[Abstract], near: list[list[int]], *, seed: int = SEED
) -> list[Pair]:
    """The pairs of all examples."""
    rng = random.Random(seed)
    found = []
    for example, places in zip(chosen, near, strict=True):
        own = {paper.id for paper in example.papers}
        found += list(pairs_of(example, [pool[p] for p in places if pool[p].id not in own], rng))
    return found


def main() -> None:
    """Train, judge on held-out abstracts, keep weights and record."""
    from transformers import AutoTokenizer, Trainer, TrainingArguments

    parser = runs.parser(__doc__, seed=SEED, epochs=2, batch=BATCH, rate=1e-4, counted="pairs")
    parser.add_argument("--start", type=Path, default=None, help="the weights to start from")
    arguments = runs.begin(parser)
    seed = arguments.seed
    settings = Settings.load()
    folder = merged(resolve("citewise-embedder", settings), settings.cache_dir).path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    train, held = split(arguments.data)
    pool = pool_of(arguments.data, train + held)
    near = nearest([example.question for example in train + held], pool, settings)
    pairs = [*all_pairs(train, pool, near[: len(train)], seed=seed), *scifact(arguments.data)]
    random.Random(seed).shuffle(pairs)
    pairs = pairs[: arguments.limit]
    kept = all_pairs(held, pool, near[len(train) :], seed=seed)
    print(len(pairs), "pairs,", sum(p.supported for p in pairs), "supported;", len(kept), "held", flush=True)
    model = VerifyingModel(folder)
    if arguments.start:
        from safetensors.torch import load_file

        weights = load_file(arguments.start)
        model.bert.load_state_dict({k[5:]: v for k, v in weights.items() if k.startswith("bert.")})
    trainer = Trainer(
        model=model,
        args=runs.settings_of(
            arguments,
            TrainingArguments,
            per_device_train_batch_size=1,
            warmup_steps=60,
            weight_decay=0.01,
            logging_steps=20,
            save_steps=200,
        ),
        train_dataset=Batches(pairs, tokenizer, size=arguments.batch, seed=seed),
        data_collator=lambda batches: batches[0],
    )
    runs.train(trainer, arguments.out)
    runs.keep_weights(model, arguments.out)
    record = {"judged": judged(scores(model, tokenizer, kept), kept), "log": trainer.state.log_history}
    runs.keep_record(record, arguments.out)
    print(json.dumps(record["judged"], indent=1), flush=True)


if __name__ == "__main__":
    main()
