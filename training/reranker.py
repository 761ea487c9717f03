"""Trains the reranker: MiniLM reading a question and a whole abstract at once, with three heads.

    python -m training.reranker --data FOLDER --out RUN

Heads: the paper is what the question is about (softmax over the papers of a group, as in ListNet's top-one
probability, Cao et al. 2007); the paper answers the question; a sentence carries the answer (both binary).
Groups are made in `training.reranker_groups`. Word embeddings stay as they are, so that what ships is a
difference.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from rag.models.delta import merged
from rag.models.weights import resolve
from rag.settings import Settings
from training import runs
from training.batches import bert_to_train
from training.examples import split
from training.hard_negatives import nearest, pool_of
from training.reranker_groups import Collator, Group, foreign, groups_of

SEED = 20261125
HEADS = ("about", "answers", "carries")
GAIN = 10.0
BIASES = (-5.0, -6.0, -6.0)


class ReadingModel(nn.Module):
    """BERT and three outputs: two read the first token, the third the mean of a sentence's tokens.

    To each comes a gain times the cosine of question and sentence (the largest, for the whole paper), both as
    means of their tokens: what the base was trained for, so that reading begins where searching ends.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = bert_to_train(folder)
        self.heads = nn.Linear(self.bert.config.hidden_size, len(HEADS))
        nn.init.normal_(self.heads.weight, std=0.02)
        with torch.no_grad():
            self.heads.bias.copy_(torch.tensor(BIASES))
        self.gains = nn.Parameter(torch.full((len(HEADS),), GAIN))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor, **gold: Any
    ) -> dict[str, torch.Tensor]:
        """Logits of shape (papers, 2) and (papers, sentences); the loss when gold is given."""
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        means = gold["pooling"] @ hidden
        asked = gold["asked"][:, None, :] @ hidden
        likeness = functional.cosine_similarity(means, asked, dim=-1)
        most = likeness.masked_fill(~gold["real"], -1.0).amax(1, keepdim=True)
        whole = self.heads(hidden[:, 0])[:, :2] + self.gains[:2] * most
        told = self.heads(means)[..., 2] + self.gains[2] * likeness
        loss = _loss(whole, told, gold)
        return {"loss": loss, "whole": whole, "told": told}


def _loss(whole: torch.Tensor, told: torch.Tensor, gold: dict[str, torch.Tensor]) -> torch.Tensor:
    """The three losses, evenly."""
    owner, about = gold["owner"], gold["about"]
    same = owner[:, None] == owner[None, :]
    rivals = same & ~about[None, :] | torch.eye(len(owner), dtype=torch.bool)
    scores = whole[:, 0][None, :].expand(len(owner), -1).masked_fill(~rivals, -1e4)
    ranked = torch.logsumexp(scores, 1) - whole[:, 0]
    listwise = ranked[about].mean() if about.any() else whole.sum() * 0
    answers = functional.binary_cross_entropy_with_logits(whole[:, 1], gold["answers"])
    real = gold["real"]
    carries = functional.binary_cross_entropy_with_logits(told[real], gold["carries"][real])
    return listwise + answers + 2 * carries


def judged(model: ReadingModel, collate: Collator, groups: Sequence[Group]) -> dict[str, float]:
    """On held-out groups: right paper first, best sentence right, and how well answering is told apart."""
    from sklearn.metrics import roc_auc_score

    model.eval()
    firsts, sentences, near, answerable, every = [], [], [], [], []
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for group in groups:
            out = model(**collate([{"group": group}]))
            about, answers = out["whole"][:, 0].tolist(), out["whole"][:, 1].tolist()
            every += [(value, r.answers) for value, r in zip(answers, group.readings, strict=True)]
            right = [i for i, r in enumerate(group.readings) if r.answers]
            if not right:
                if group.type in {"near_unanswerable", "numeric_unanswerable"}:
                    near.append(answers[0])
                continue
            firsts.append(float(np.argmax(about) in right))
            answerable.append(answers[right[0]])
            gold = group.readings[right[0]]
            count = min(len(gold.paper.sentences), out["told"].shape[1])
            sentences.append(float(int(np.argmax(out["told"][right[0], :count].tolist())) in gold.carrying))
    model.train()
    return {
        "right_paper_first": float(np.mean(firsts)),
        "best_sentence_right": float(np.mean(sentences)),
        "auc_answerable_vs_near": float(
            roc_auc_score([1] * len(answerable) + [0] * len(near), answerable + near)
        ),
        "auc_answers": float(roc_auc_score([y for _, y in every], [s for s, _ in every])),
        "groups": len(groups),
    }


def main() -> None:
    """Train one epoch, judge on held-out abstracts, keep weights and record."""
    from transformers import AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

    parser = runs.parser(__doc__, seed=SEED, epochs=1, batch=6, rate=8e-5, counted="groups")
    parser.add_argument("--tokens-max", type=int, default=320)
    parser.add_argument("--start", type=Path, default=None, help="the weights of a run to go on from")
    arguments = runs.begin(parser)
    settings = Settings.load()
    folder = merged(resolve("citewise-embedder", settings), settings.cache_dir).path
    train, held = split(arguments.data)
    pool = pool_of(arguments.data, train + held)
    near = nearest([example.question for example in train + held], pool, settings)
    groups = groups_of(train, pool, near[: len(train)], seed=arguments.seed)
    judged_groups = groups_of(held, pool, near[len(train) :], seed=arguments.seed)
    groups += foreign(arguments.data, pool, settings)
    random.shuffle(groups)
    groups = groups[: arguments.limit]
    collate = Collator(AutoTokenizer.from_pretrained(folder), arguments.tokens_max)
    model = ReadingModel(folder)
    runs.go_on_from(arguments.start, model)
    print(len(groups), "groups to train,", len(judged_groups), "held out", flush=True)

    class HeldOutEvaluation(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step % 250 == 0:
                found = judged(model, collate, judged_groups[::12])
                print(state.global_step, json.dumps(found), flush=True)
                state.log_history.append({"step": state.global_step, **found})

    trainer = Trainer(
        model=model,
        args=runs.settings_of(
            arguments,
            TrainingArguments,
            per_device_train_batch_size=arguments.batch,
            warmup_steps=80,
            weight_decay=0.01,
            logging_steps=20,
            save_steps=250,
            label_names=["answers"],
        ),
        train_dataset=_Listed(groups),
        data_collator=collate,
        callbacks=[HeldOutEvaluation()],
    )
    runs.train(trainer, arguments.out)
    runs.keep_weights(model, arguments.out)
    record = {"judged": judged(model, collate, judged_groups), "log": trainer.state.log_history}
    runs.keep_record(record, arguments.out)
    print(json.dumps(record["judged"]), flush=True)


class _Listed(torch.utils.data.Dataset[dict[str, Group]]):
    """Groups as the trainer reads them."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, place: int) -> dict[str, Group]:
        return {"group": self._groups[place]}


if __name__ == "__main__":
    main()
