"""Trains the verifier: MiniLM reading a claim and its evidence, one output: supported or not.

    python -m training.verifier --data FOLDER --out RUN

Supported: written answers, whole and compressed evidence sentences, SciFact's supported claims, the
conclusions of PubMedQA's abstracts beside what they are drawn from. Not: written wrong answers, answers with
one number, unit, name, negation or direction changed, answers on other sentences of the paper or on
neighbouring papers, SciFact's other claims and its claims beside sentences that do not bear them out, changed
conclusions and those of other abstracts. A fifth of the papers and of SciFact's claims is held out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from rag.models.delta import merged
from rag.models.entailment import JUDGED_TOKENS_MAX
from rag.models.weights import resolve
from rag.models.windows import Window, windows_of
from rag.settings import Settings
from rag.text.sentences import sentence_spans
from training import runs
from training.batches import batch_of, bert_to_train
from training.examples import Abstract, Example, is_fifth, split
from training.hard_negatives import RANKS, best_places, nearest, plain_tokens, pool_of, vectors
from training.perturbations import CHANGES, compressed, denied, other_number, turned
from training.written import read_lines

SEED = 20261127
BATCH = 24
GAIN = 4.0  # of either likeness at the start: from unlike to alike is about this much in log-odds
UNTITLED = 0.35  # share of written pairs whose evidence has no title, as in other people's sets
CONCLUSION_SENTENCES = 5  # a conclusion is drawn from what stands before it


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A claim with evidence: a title line, then sentences, one a line."""

    claim: str
    evidence: str
    supported: bool
    kind: str


def told_by(paper: Abstract, numbers: Sequence[int]) -> str:
    """What a claim that cites the paper may rest on."""
    return "\n".join([paper.title, *(paper.sentences[n] for n in sorted(numbers))])


def without_titles(pairs: Sequence[TrainingPair], rng: random.Random) -> Iterator[TrainingPair]:
    """The same pairs, some of them with the sentences alone as evidence."""
    for pair in pairs:
        _, _, below = pair.evidence.partition("\n")
        yield replace(pair, evidence=below) if below and rng.random() < UNTITLED else pair


def pairs_of(example: Example, others: list[Abstract], rng: random.Random) -> Iterator[TrainingPair]:
    """All pairs of one example."""
    parts = example.parts or (((example.answer, example.evidence),) if example.answer else ())
    if not example.answerable:
        yield from _of_unanswerable(example, rng)
        return
    number = example.evidence[0][0]
    paper = example.papers[number]
    gold = [s for p, s in example.evidence if p == number]
    if example.wrong and all(p == number for p, _ in example.evidence):
        yield TrainingPair(
            example.wrong, told_by(paper, _with_noise(paper, gold, rng)), False, "written wrong"
        )
    elif example.wrong:
        yield from _swapped(example)
    for text, told in parts:
        if text and all(p == told[0][0] for p, _ in told):
            source = example.papers[told[0][0]]
            yield from _of_answer(text, source, [s for _, s in told], others, rng)


def _of_answer(
    text: str, paper: Abstract, gold: list[int], others: list[Abstract], rng: random.Random
) -> Iterator[TrainingPair]:
    evidence = told_by(paper, _with_noise(paper, gold, rng))
    yield TrainingPair(text, evidence, True, "written answer")
    changes = list(CHANGES)
    rng.shuffle(changes)
    if any(c.isdigit() for c in text):
        changes.insert(0, other_number)
    made = 0
    for change in changes:
        changed = change(text, evidence, rng)
        if changed and changed != text and changed not in evidence and made < 2:
            made += 1
            yield TrainingPair(changed, evidence, False, change.__name__)
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    if rest:
        elsewhere = rng.sample(rest, min(len(rest), rng.choice([1, 2, 3])))
        yield TrainingPair(text, told_by(paper, elsewhere), False, "other sentences")
    if others and rng.random() < 0.5:
        other = rng.choice(others[:4])
        numbers = rng.sample(range(len(other.sentences)), min(2, len(other.sentences)))
        yield TrainingPair(text, told_by(other, numbers), False, "other paper")
    if rng.random() < 0.35:
        sentence = paper.sentences[rng.choice(gold)]
        short = compressed(sentence, rng)
        claim = short if short and rng.random() < 0.8 else sentence
        yield TrainingPair(claim, evidence, True, "compressed")


def _of_unanswerable(example: Example, rng: random.Random) -> Iterator[TrainingPair]:
    paper = example.papers[0]
    numbers = rng.sample(range(len(paper.sentences)), min(3, len(paper.sentences)))
    if example.wrong:
        yield TrainingPair(example.wrong, told_by(paper, numbers), False, "invented")


def _swapped(example: Example) -> Iterator[TrainingPair]:
    """A wrong answer over several papers: against all evidence of its first paper."""
    number = example.evidence[0][0]
    gold = [s for p, s in example.evidence if p == number]
    yield TrainingPair(example.wrong or "", told_by(example.papers[number], gold), False, "swapped papers")


def _with_noise(paper: Abstract, gold: Sequence[int], rng: random.Random) -> list[int]:
    rest = [n for n in range(len(paper.sentences)) if n not in gold]
    return [*gold, *rng.sample(rest, min(len(rest), rng.choice([0, 0, 1, 2, 3])))]


Embed = Callable[[Sequence[str]], NDArray[np.float32]]  # texts -> rows of length 1


def neighbours(texts: Sequence[str], embed: Embed) -> list[list[int]]:
    """Per text the places of the RANKS others nearest to it, nearest first."""
    rows = embed(texts)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -np.inf)
    return best_places(likeness, min(RANKS, len(texts) - 1))


def scifact(data: Path, rng: random.Random, embed: Embed) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """(training, held out) pairs of SciFact (claims CC BY 4.0), a claim's all on one side.

    Besides the given pairs: a claim beside sentences of its abstract that are no rationale of it, and beside
    the rationales of claims like it over other abstracts.
    """
    abstracts = {row["id"]: row["sentences"] for row in read_lines(data / "scifact" / "corpus.jsonl.gz")}
    pairs = [
        TrainingPair(
            row["claim"], _lines(row["evidence"]), row["label"] == "SUPPORT", f"scifact {row['label']}"
        )
        for row in read_lines(data / "scifact" / "verify_pairs_train.jsonl")
    ]
    claims = list(read_lines(data / "scifact" / "claims_train.jsonl"))
    near = neighbours([row["claim"] for row in claims], embed)
    for row, places in zip(claims, near, strict=True):
        others = [claims[place] for place in places if claims[place]["evidence"]]
        others = [other for other in others if not set(other["cited_ids"]) & set(row["cited_ids"])]
        for other in rng.sample(others, min(len(others), 2)):
            told = other["evidence"][0]
            text = "\n".join(abstracts[told["doc_id"]][n] for n in told["sentence_ids"])
            pairs.append(TrainingPair(row["claim"], text, False, "scifact other claim"))
        for paper in sorted({told["doc_id"] for told in row["evidence"]}):
            bearing = {n for told in row["evidence"] if told["doc_id"] == paper for n in told["sentence_ids"]}
            rest = [s for n, s in enumerate(abstracts[paper]) if n not in bearing and len(s) > 30]
            if chosen := rng.sample(rest, min(len(rest), 2)):
                pairs.append(TrainingPair(row["claim"], "\n".join(chosen), False, "scifact other sentences"))
    return (
        [pair for pair in pairs if not is_fifth(pair.claim)],
        [pair for pair in pairs if is_fifth(pair.claim)],
    )


def pubmedqa(data: Path, rng: random.Random, embed: Embed) -> Iterator[TrainingPair]:
    """Conclusions of PubMedQA's abstracts (MIT), a sentence each, beside the sentences before them.

    Or beside those of another abstract, one of the nearest.
    """
    rows = {row["id"]: row["abstract"] for row in read_lines(data / "pubmedqa" / "corpus.jsonl.gz")}
    told = {key: _lines(text).split("\n")[-CONCLUSION_SENTENCES:] for key, text in rows.items()}
    everyone = sorted(told)
    near = dict(zip(everyone, neighbours([rows[key] for key in everyone], embed), strict=True))
    for row in read_lines(data / "pubmedqa" / "questions_dev.jsonl"):
        evidence = "\n".join(told[row["gold_ids"][0]])
        claims = [claim for claim in _lines(row["long_answer"]).split("\n") if len(claim.split()) > 6][:2]
        for claim in claims:
            yield TrainingPair(claim, evidence, True, "conclusion")
            changed = (rng.choice([denied, turned]))(claim, evidence, rng)
            if changed:
                yield TrainingPair(changed, evidence, False, "conclusion changed")
            other = everyone[rng.choice(near[row["gold_ids"][0]])]
            yield TrainingPair(claim, "\n".join(told[other]), False, "conclusion, other abstract")


def _lines(text: str) -> str:
    """A text with each sentence on a line of its own."""
    return "\n".join(text[start:end] for start, end in sentence_spans(text))


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


class PairBatches(torch.utils.data.Dataset):  # type: ignore[type-arg]
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


def all_pairs(
    chosen: Sequence[Example], pool: Sequence[Abstract], near: list[list[int]], *, seed: int = SEED
) -> list[TrainingPair]:
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
