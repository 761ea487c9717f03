"""Trains the reader: SmolLM2-135M with LoRA (Hu et al., 2022), from evidence and question to a short answer.

    python -m training.reader --data FOLDER --out RUN

The prompt is the product's own (`rag.generate.prompt`): a few sentences of a few papers, the order of the
papers shuffled. Where the evidence was taken away, or never held the answer, the answer is the sentinel. The
lower layers stay as they are: a third less to compute, and they only learn to read.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from rag.generate.prompt import NOT_IN_EVIDENCE, reader_messages
from rag.models.gguf import converted_folder
from rag.models.weights import resolve
from rag.settings import Settings
from rag.text.terms import content_terms
from rag.types import Evidence, Paper
from training import runs
from training.examples import Abstract, Example, split
from training.hard_negatives import nearest, pool_of

SEED = 20261126
BATCH = 8
FIRST_LAYER = 10
# What share of each type is kept; what the product never drafts (one paper is sought) is rare.
SHARES = {"find": 0.25, "fact_lexical": 0.8, "near_unanswerable": 0.7}
WITHOUT_EVIDENCE = 0.11
Told = tuple[Abstract, int]


@dataclass(frozen=True, slots=True)
class ReaderLesson:
    """What the model reads and what it should write."""

    question: str
    evidence: tuple[Evidence, ...]
    answer: str


def lessons(
    chosen: Sequence[Example], pool: Sequence[Abstract], near: list[list[int]], *, seed: int
) -> list[ReaderLesson]:
    """The lessons of these examples, about one each."""
    rng = random.Random(seed)
    found = []
    for example, places in zip(chosen, near, strict=True):
        if rng.random() < SHARES.get(example.type, 1.0):
            own = {paper.id for paper in example.papers}
            others = [pool[p] for p in places if pool[p].id not in own]
            found += list(_lessons(example, others, rng))
    return found


def _lessons(example: Example, others: list[Abstract], rng: random.Random) -> Iterator[ReaderLesson]:
    if example.type in {"compare", "collect"}:  # the product asks paper by paper
        for text, evidence in example.parts:
            number = evidence[0][0]
            if all(p == number for p, _ in evidence):
                own = [(example.papers[number], s) for _, s in evidence]
                extra = _like(example.question, example.papers[number], {s for _, s in evidence}, 1, rng)
                yield _lesson(example.question, [own + extra], text, 0, rng)
        return
    if not example.answerable:
        paper = example.papers[0]
        own = _like(example.question, paper, set(), rng.choice([2, 3, 3, 4]), rng)
        yield _lesson(example.question, [own, *_foreign(example, others, rng)], None, 0, rng)
        return
    number = example.evidence[0][0]
    paper = example.papers[number]
    told = {s for p, s in example.evidence if p == number}
    if rng.random() < WITHOUT_EVIDENCE:
        own = _like(example.question, paper, told, 3, rng)
        parts = [own, *_foreign(example, others, rng)] if own else _foreign(example, others, rng)
        if parts:
            yield _lesson(example.question, parts, None, 0, rng)
        return
    own = [(paper, s) for s in sorted(told)]
    own += _like(example.question, paper, told, rng.choice([0, 1, 2, 2]), rng)
    yield _lesson(example.question, [own, *_foreign(example, others, rng)], example.answer, 0, rng)


def _like(question: str, paper: Abstract, left_out: set[int], count: int, rng: random.Random) -> list[Told]:
    """Other sentences of a paper, those that share words with the question first, a little at random."""
    asked = content_terms(question)
    rest = [s for s in range(len(paper.sentences)) if s not in left_out]
    rest.sort(key=lambda s: -len(asked & content_terms(paper.sentences[s])) + rng.random())
    return [(paper, s) for s in rest[:count]]


def _foreign(example: Example, others: list[Abstract], rng: random.Random) -> list[list[Told]]:
    """One or two sentences of none, one or two other papers that the product would find too."""
    papers = [p for p in example.papers[1:] if p.sentences] if example.type == "distractor" else []
    papers = papers or others[:4]
    chosen = rng.sample(papers, min(rng.choice([0, 1, 1, 2]), len(papers)))
    return [_like(example.question, paper, set(), rng.choice([1, 1, 2]), rng) for paper in chosen]


def _lesson(
    question: str, parts: list[list[Told]], answer: str | None, right: int, rng: random.Random
) -> ReaderLesson:
    """Papers in random order; the answer's sentences end in the number of its paper."""
    order = list(range(len(parts)))
    rng.shuffle(order)
    evidence = []
    for key, place in enumerate(order, start=1):
        for paper, number in parts[place]:
            start = sum(len(s) + 1 for s in paper.sentences[:number])
            whole = Paper(paper.id, paper.title, " ".join(paper.sentences))
            evidence.append(Evidence(key, whole, start, start + len(paper.sentences[number]), 1.0))
    if answer is None:
        return ReaderLesson(question, tuple(evidence), NOT_IN_EVIDENCE)
    mark = f" [{order.index(right) + 1}]"
    body = answer.strip()
    marked = f"{body[:-1]}{mark}{body[-1]}" if body[-1] in ".!" else f"{body}{mark}"
    return ReaderLesson(question, tuple(evidence), marked)


class WrittenAnswer:
    """A lesson as tokens: the prompt after the chat template, and the answer with the end of the turn."""

    def __init__(self, tokenizer: Any, lesson: ReaderLesson) -> None:
        turns = [
            {"role": {"human": "user"}.get(m.type, m.type), "content": str(m.content)}
            for m in reader_messages(lesson.question, lesson.evidence)
        ]
        prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        self.prompt: list[int] = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        self.answer: list[int] = tokenizer(lesson.answer, add_special_tokens=False)["input_ids"]
        self.answer.append(tokenizer.eos_token_id)

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


class LessonBatches(torch.utils.data.Dataset[dict[str, Any]]):
    """Batches of about equal length, in random order; the trainer's batch size is one of these."""

    def __init__(self, written: list[WrittenAnswer], pad: int, *, size: int, seed: int) -> None:
        rng = random.Random(seed)
        order = sorted(written, key=lambda w: (len(w), rng.random()))
        self._batches = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(self._batches)
        self._pad = pad

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, place: int) -> dict[str, Any]:
        """Padded on the left, so that all answers end together; logits only where answers are."""
        rows = self._batches[place]
        length = max(map(len, rows))
        kept = max(len(row.answer) for row in rows) + 1
        ids = torch.full((len(rows), length), self._pad)
        mask = torch.zeros((len(rows), length), dtype=torch.long)
        labels = torch.full((len(rows), kept), -100)
        for i, row in enumerate(rows):
            ids[i, length - len(row) :] = torch.tensor(row.prompt + row.answer)
            mask[i, length - len(row) :] = 1
            labels[i, kept - len(row.answer) :] = torch.tensor(row.answer)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels, "logits_to_keep": kept}


def main() -> None:
    """Train, follow the loss on held-out abstracts, keep the adapter and the record."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

    parser = runs.parser(__doc__, seed=SEED, epochs=1, batch=BATCH, rate=5e-4, counted="lessons")
    parser.add_argument("--rank", type=int, default=32)
    arguments = runs.begin(parser)
    seed = arguments.seed
    settings = Settings.load()
    folder = converted_folder(resolve("smollm2-135m-instruct", settings), settings.cache_dir)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    train, held = split(arguments.data)
    pool = pool_of(arguments.data, train + held)
    near = nearest([example.question for example in train + held], pool, settings)
    made = lessons(train, pool, near[: len(train)], seed=seed)
    random.Random(seed).shuffle(made)
    made = made[: arguments.limit]
    kept = lessons(held, pool, near[len(train) :], seed=seed)[::8]
    batches = partial(LessonBatches, pad=tokenizer.pad_token_id, size=arguments.batch, seed=seed)
    written = [WrittenAnswer(tokenizer, lesson) for lesson in made]
    print(len(made), "lessons,", sum(map(len, written)), "tokens;", len(kept), "held out", flush=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    layers = list(range(FIRST_LAYER, model.config.num_hidden_layers))
    tuned = get_peft_model(
        model,
        LoraConfig(
            r=arguments.rank,
            lora_alpha=2 * arguments.rank,
            target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
            layers_to_transform=layers,
            task_type="CAUSAL_LM",
        ),
    )
    tuned.print_trainable_parameters()
    trainer = Trainer(
        model=tuned,
        args=runs.settings_of(
            arguments,
            TrainingArguments,
            per_device_train_batch_size=1,
            per_device_eval_batch_size=1,
            lr_scheduler_type="cosine",
            warmup_steps=20,
            logging_steps=10,
            eval_strategy="steps",
            eval_steps=150,
            save_steps=50,
        ),
        train_dataset=batches(written),
        eval_dataset=batches([WrittenAnswer(tokenizer, lesson) for lesson in kept]),
        data_collator=lambda batches: batches[0],
    )
    runs.train(trainer, arguments.out)
    tuned.save_pretrained(arguments.out / "adapter")
    runs.keep_record({"lessons": len(made), "log": trainer.state.log_history}, arguments.out)


if __name__ == "__main__":
    main()
