"""Teaches the embedder to tell sentences apart inside their abstract, which is then read only once.

    pip install -e ".[train]"
    python -m training.contextual_embedder --data FOLDER --out RUN

Goes on from what `training.embedder` made. A window is title and sentences in one reading
(`rag.models.windows`); the mean of a sentence's states is the sentence's vector, the mean of all of them the
window's ("late chunking", Günther et al., 2024). Loss: the right sentence among all sentences of a batch of
papers, near ones among them, and the right paper by the mean of both cosines, as retrieval ranks them.
Examples as in `training.examples`, the held-out fifth measures. Word embeddings stay as they are. Kept is the
mean of the weights before and after (Wortsman et al., 2022): it tells sentences apart almost as well, and
papers better than either.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rag.models.delta import merged
from rag.models.embedder import TOKENS_MAX
from rag.models.weights import resolve
from rag.models.windows import Window, windows_of
from rag.settings import Settings
from training import runs
from training.batches import batch_of, bert_to_train
from training.examples import Abstract, Example, split
from training.hard_negatives import best_places, plain_tokens, vectors
from training.soup import mean_of

SEED = 20261126
TEMPERATURE = 0.05
TOGETHER = 4  # papers near to one another, so that a batch holds hard negatives
QUESTIONS_MAX = 4  # of a paper in one step


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """A question about a paper, and which of its sentences carry the answer."""

    question: str
    carrying: frozenset[int]


@dataclass(frozen=True, slots=True)
class ContextLesson:
    """A paper and questions about it."""

    paper: Abstract
    asked: tuple[ContextQuestion, ...]


def lessons_of(chosen: Sequence[Example]) -> list[ContextLesson]:
    """Every paper that carries an answer, with the questions it answers."""
    papers: dict[str, Abstract] = {}
    asked: dict[str, list[ContextQuestion]] = defaultdict(list)
    for example in chosen:
        for number, paper in enumerate(example.papers):
            carrying = frozenset(s for p, s in example.evidence if p == number)
            if carrying:
                papers[paper.id] = paper
                asked[paper.id].append(ContextQuestion(example.question, carrying))
    return [ContextLesson(papers[key], tuple(asked[key])) for key in papers]


def batches_of(
    lessons: Sequence[ContextLesson], near: Sequence[Sequence[int]], size: int
) -> list[list[ContextLesson]]:
    """All lessons once, in batches of `size` made of small groups of near papers, drawn anew each time."""
    left = set(range(len(lessons)))
    groups = []
    for place in random.sample(range(len(lessons)), len(lessons)):
        if place in left:
            group = [place, *[p for p in near[place] if p in left and p != place][: TOGETHER - 1]]
            left -= set(group)
            groups.append(group)
    random.shuffle(groups)
    order = [place for group in groups for place in group]
    return [[lessons[p] for p in order[i : i + size]] for i in range(0, len(order), size)]


class ContextualEmbedder(torch.nn.Module):
    """MiniLM, read as the product reads it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import AutoTokenizer

        self.bert = bert_to_train(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.special = (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id)

    def questions(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (questions, width)."""
        rows = plain_tokens(self.tokenizer, texts)
        cls, sep = self.special
        return self._states([Window((cls, *row[:64], sep), len(row[:64]) + 2, ()) for row in rows])[0]

    def papers(self, papers: Sequence[Abstract]) -> tuple[torch.Tensor, torch.Tensor, list[tuple[int, int]]]:
        """Unit vectors of windows (papers, width; the first of each) and of sentences, with their place."""
        windows: list[Window] = []
        places: list[tuple[int, int]] = []
        for number, paper in enumerate(papers):
            title, *rest = plain_tokens(self.tokenizer, [paper.title, *paper.sentences])
            first, *_ = windows_of(title, [], rest, special=self.special, tokens_max=TOKENS_MAX)
            windows.append(first)
            places += [(number, sentence) for sentence in range(len(first.spans))]
        whole, own = self._states(windows)
        return whole, own, places

    def _states(self, windows: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor]:
        batch = batch_of(windows)
        mask = batch["attention_mask"]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.bert(
                input_ids=batch["input_ids"], attention_mask=mask, token_type_ids=torch.zeros_like(mask)
            ).last_hidden_state.float()
        weights = mask.float()[:, :, None]
        whole = (states * weights).sum(1) / weights.sum(1)
        means = torch.bmm(batch["pooling"], states)
        own = [means[i, : len(window.spans)] for i, window in enumerate(windows)]
        return unit(whole), unit(torch.cat(own))


def unit(rows: torch.Tensor) -> torch.Tensor:
    """Rows of length 1."""
    return torch.nn.functional.normalize(rows, dim=-1)


def loss_of(model: ContextualEmbedder, lessons: Sequence[ContextLesson]) -> torch.Tensor:
    """Cross-entropy of the right sentence among all, and of the right paper among all."""
    whole, own, places = model.papers([lesson.paper for lesson in lessons])
    chosen = [
        (number, asked)
        for number, lesson in enumerate(lessons)
        for asked in random.sample(lesson.asked, min(QUESTIONS_MAX, len(lesson.asked)))
    ]
    questions = model.questions([asked.question for _, asked in chosen])
    right = torch.tensor(
        [[n == number and s in asked.carrying for n, s in places] for number, asked in chosen]
    )
    told = right.any(1)  # evidence behind the first window is not there
    cosines = questions @ own.T
    logits = cosines / TEMPERATURE
    sentence = logits.logsumexp(1) - logits.masked_fill(~right, -1e4).logsumexp(1)
    owners = torch.tensor([n for n, _ in places])
    best = torch.stack([cosines[:, owners == number].amax(1) for number in range(len(lessons))], dim=1)
    papers = (questions @ whole.T + best) / 2 / TEMPERATURE
    paper = torch.nn.functional.cross_entropy(papers, torch.tensor([number for number, _ in chosen]))
    return sentence[told].mean() + paper


def judged(model: ContextualEmbedder, lessons: Sequence[ContextLesson]) -> dict[str, float]:
    """Right paper first and within five of all held-out ones; best sentence of the right paper right."""
    model.eval()
    with torch.inference_mode():
        read = [
            model.papers([lesson.paper for lesson in lessons[i : i + 16]]) for i in range(0, len(lessons), 16)
        ]
        whole = torch.cat([r[0] for r in read])
        own = torch.cat([r[1] for r in read])
        owners = torch.tensor([16 * k + n for k, r in enumerate(read) for n, _ in r[2]])
        sentences = torch.tensor([s for r in read for _, s in r[2]])
        ranks, hits = [], []
        for number, lesson in enumerate(lessons):
            questions = model.questions([asked.question for asked in lesson.asked])
            cosines = questions @ own.T
            best = torch.full((len(questions), len(lessons)), -1.0)
            best.scatter_reduce_(1, owners.expand(len(questions), -1), cosines, "amax")
            scores = questions @ whole.T + best
            ranks += (scores > scores[:, number : number + 1]).sum(1).tolist()
            mine = owners == number
            for row, asked in zip(cosines[:, mine], lesson.asked, strict=True):
                hits.append(int(sentences[mine][row.argmax()]) in asked.carrying)
    model.train()
    return {
        "right_paper_first": float(np.mean(np.array(ranks) < 1)),
        "within_five": float(np.mean(np.array(ranks) < 5)),
        "best_sentence_right": float(np.mean(hits)),
        "questions": len(ranks),
    }


def main() -> None:
    """Train, judge before and after each epoch, keep the mean of both ends and the record."""
    parser = runs.parser(__doc__, seed=SEED, epochs=3, batch=16, rate=4e-5, counted="papers")
    arguments = runs.begin(parser, threads=2)
    settings = Settings.load()
    model = ContextualEmbedder(merged(resolve("citewise-embedder", settings), settings.cache_dir).path)
    train, held = (lessons_of(part) for part in split(arguments.data))
    train = train[: arguments.limit]
    rows = vectors([f"{one.paper.title}. {one.paper.text}"[:600] for one in train], settings)
    near = best_places(rows @ rows.T, 24)
    steps = int(arguments.epochs) * -(-len(train) // arguments.batch)
    chosen = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(chosen, lr=arguments.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 20, max(0.02, (steps - step) / steps))
    )
    before = {name: tensor.clone() for name, tensor in model.bert.state_dict().items()}
    log: list[dict[str, Any]] = [{"step": 0, **judged(model, held)}]
    print(len(train), "papers,", steps, "steps;", json.dumps(log[-1]), flush=True)
    step = 0
    for _ in range(int(arguments.epochs)):
        for batch in batches_of(train, near, arguments.batch):
            loss = loss_of(model, batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(chosen, 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            log.append({"step": step, "loss": float(loss.detach())})
            if step % 10 == 0:
                print(json.dumps(log[-1]), flush=True)
        log.append({"step": step, **judged(model, held)})
        print(json.dumps(log[-1]), flush=True)
    model.bert.load_state_dict(mean_of([before, model.bert.state_dict()]))
    (arguments.out / "model").mkdir(exist_ok=True)
    runs.keep_weights(model.bert, arguments.out / "model")
    runs.keep_record({"judged": judged(model, held), "log": log}, arguments.out)


if __name__ == "__main__":
    main()
