"""Trains the verifier: MiniLM reading a claim and its evidence, one output: supported or not.

    python -m training.verifier --data FOLDER --out RUN

The pairs are made in `training.verifier_pairs`. Word embeddings stay as they are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from rag.models.delta import merged
from rag.models.entailment import JUDGED_TOKENS_MAX
from rag.models.weights import resolve
from rag.models.windows import Window, windows_of
from rag.settings import Settings
from training import runs
from training.batches import batch_of, bert_to_train
from training.examples import split
from training.hard_negatives import nearest, plain_tokens, pool_of, vectors
from training.verifier_pairs import SEED, TrainingPair, all_pairs, pubmedqa, scifact, without_titles

BATCH = 24
GAIN = 4.0  # of either likeness at the start: from unlike to alike is about this much in log-odds


class VerifyingModel(nn.Module):
    """BERT and one linear output on the first token, beside two likenesses: see `rag.models.entailment`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = bert_to_train(folder)
        self.heads = nn.Linear(self.bert.config.hidden_size, 1)
        nn.init.normal_(self.heads.weight, std=0.02)
        with torch.no_grad():
            self.heads.bias.fill_(-1.5 * GAIN)
        self.gains = nn.Parameter(torch.full((2,), GAIN))

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
        pooling: torch.Tensor,
        asked: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Logits (pairs,). `pooling` (pairs, lines, tokens) averages each line, `asked` the claim."""
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        likenesses = torch.stack(
            [_nearest_line(hidden, pooling, asked), _nearest_tokens(hidden, pooling, asked)]
        )
        logits = self.heads(hidden[:, 0])[:, 0] + self.gains @ likenesses
        out = {"logits": logits}
        if labels is not None:
            out = {"loss": functional.binary_cross_entropy_with_logits(logits, labels), **out}
        return out


def _nearest_line(hidden: torch.Tensor, pooling: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """See `rag.models.entailment.nearest_line`; (pairs,)."""
    cosines = functional.cosine_similarity(pooling @ hidden, asked[:, None, :] @ hidden, dim=-1)
    return cosines.masked_fill(pooling.sum(2) == 0, -1.0).amax(1)


def _nearest_tokens(hidden: torch.Tensor, pooling: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """See `rag.models.entailment.nearest_tokens`; (pairs,)."""
    rows = functional.normalize(hidden, dim=-1)
    told = pooling.sum(1) > 0
    nearest = (rows @ rows.transpose(1, 2)).masked_fill(~told[:, None, :], -1.0).amax(2)
    mine = asked > 0
    mine[:, 0] = False
    last = mine.sum(1)  # [SEP] stands there
    mine[torch.arange(len(mine)), last] = False
    return (nearest * mine).sum(1) / mine.sum(1).clamp(min=1)


Row = tuple[Window, float]  # what is read, 1.0 when supported


def rows_of(pairs: Sequence[TrainingPair], tokenizer: Any) -> list[Row]:
    """What the model reads of each pair, in order: of long evidence the window with most of its words."""
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    rows = []
    for pair in pairs:
        claim, *lines = plain_tokens(tokenizer, [pair.claim, *(x for x in pair.evidence.split("\n") if x)])
        windows = windows_of(claim, (), lines, special=special, tokens_max=JUDGED_TOKENS_MAX)
        said = set(claim)
        best = max(windows, key=lambda window: len(said & set(window.ids[window.question_tokens :])))
        rows.append((best, float(pair.supported)))
    return rows


def padded(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Rows as one batch, in order."""
    labels = torch.tensor([label for _, label in rows])
    return {**batch_of([window for window, _ in rows]), "labels": labels}


class PairBatches(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Batches of about equal length, in random order."""

    def __init__(self, pairs: Sequence[TrainingPair], tokenizer: Any, *, size: int, seed: int) -> None:
        rng = random.Random(seed)
        order = sorted(rows_of(pairs, tokenizer), key=lambda row: (len(row[0].ids), rng.random()))
        self._batches = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        return padded(self._batches[place])


def scores(model: nn.Module, tokenizer: Any, pairs: Sequence[TrainingPair]) -> np.ndarray:
    """Logits in the order of the pairs, read in batches of about equal length."""
    found = np.zeros(len(pairs))
    rows = rows_of(pairs, tokenizer)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0].ids))
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            batch = padded([rows[i] for i in part])
            del batch["labels"]
            found[part] = model(**batch)["logits"].float().numpy()
    model.train()
    return found


def judged(logits: np.ndarray, pairs: Sequence[TrainingPair]) -> dict[str, Any]:
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


def main() -> None:
    """Train, judge on held-out abstracts, keep weights and record."""
    from transformers import AutoTokenizer, Trainer, TrainingArguments

    parser = runs.parser(__doc__, seed=SEED, epochs=2, batch=BATCH, rate=1e-4, counted="pairs")
    parser.add_argument("--start", type=Path, default=None, help="the weights of a run to go on from")
    arguments = runs.begin(parser)
    seed = arguments.seed
    settings = Settings.load()
    folder = merged(resolve("citewise-embedder", settings), settings.cache_dir).path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    train, held = split(arguments.data)
    pool = pool_of(arguments.data, train + held)
    near = nearest([example.question for example in train + held], pool, settings)
    rng = random.Random(seed)
    embed = partial(vectors, settings=settings)
    claims, kept_claims = scifact(arguments.data, rng, embed)
    written = all_pairs(train, pool, near[: len(train)], seed=seed)
    rng.shuffle(written)
    pairs = [*without_titles(written[: arguments.limit], rng), *claims, *pubmedqa(arguments.data, rng, embed)]
    rng.shuffle(pairs)
    kept = [*all_pairs(held, pool, near[len(train) :], seed=seed), *kept_claims]
    print(len(pairs), "pairs,", sum(p.supported for p in pairs), "supported;", len(kept), "held", flush=True)
    model = VerifyingModel(folder)
    runs.go_on_from(arguments.start, model)
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
        train_dataset=PairBatches(pairs, tokenizer, size=arguments.batch, seed=seed),
        data_collator=lambda batches: batches[0],
    )
    runs.train(trainer, arguments.out)
    runs.keep_weights(model, arguments.out)
    record = {"judged": judged(scores(model, tokenizer, kept), kept), "log": trainer.state.log_history}
    runs.keep_record(record, arguments.out)
    print(json.dumps(record["judged"], indent=1), flush=True)


if __name__ == "__main__":
    main()
