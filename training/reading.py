"""What a reader writes about papers it never saw, and how much of it is right.

Right, strictly: every figure of the reference, six tenths of its content words, and the same yes or no.

Whether the reader declines is read off the probability of the declining answer's first word: many other
first words share the rest, so the likeliest one may be "Not" where declining is unlikely. What it would write
otherwise is written in any case, so that one reading tells the figures at every bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from eval.metrics.strict import is_right
from training.lessons import DECLINED
from training.packing import Pack, Speller, answer_losses
from training.sheets import Lesson, Sheet

BAR = 0.5
LONGEST = 56  # tokens


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """What was written beside what should have been; `declining`: how likely it is not to answer."""

    paper: str
    type: str
    question: str
    reference: str
    written: str
    declining: float

    @property
    def answerable(self) -> bool:
        """Whether the paper tells."""
        return self.reference != DECLINED

    @property
    def right(self) -> bool:
        """Whether what was written tells it, were it shown."""
        return self.answerable and is_right(self.reference, self.written)


@torch.no_grad()
def answers(model: Any, speller: Speller, sheet: Sheet) -> list[WrittenReply]:
    """Greedy answers to a paper's questions, written side by side behind one reading of it."""
    lessons = [lesson for lesson in sheet.lessons if lesson.proposed is None]
    if not lessons:
        return []
    declined = speller.parts(Lesson("", "", DECLINED)).answer[0]
    asked = [speller.asked(lesson) for lesson in lessons]
    rows, chances = _greedy(model, speller.paper(sheet.paper), asked, declined)
    return [
        WrittenReply(
            sheet.paper.id, lesson.type, lesson.question, lesson.answer, speller.text(row), round(chance, 4)
        )
        for lesson, row, chance in zip(lessons, rows, chances, strict=True)
    ]


def _greedy(
    model: Any, paper: Sequence[int], asked: Sequence[Sequence[int]], declined: int
) -> tuple[list[list[int]], list[float]]:
    """The likeliest next token, again and again, until every row has ended its turn.

    No row begins with `declined`; how likely that was is the second value.
    """
    device, end = model.device, model.config.eos_token_id
    cache = model(input_ids=torch.tensor([list(paper)], device=device), logits_to_keep=1).past_key_values
    cache.batch_repeat_interleave(len(asked))
    ids, mask, positions = _beside(asked, len(paper))
    ids, mask, positions = ids.to(device), mask.to(device), positions.to(device)
    written: list[list[int]] = [[] for _ in asked]
    open_rows = set(range(len(asked)))
    chances: list[float] = []
    for _ in range(LONGEST):
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            logits_to_keep=1,
        ).logits[:, -1]
        if not chances:
            chances = logits.float().softmax(-1)[:, declined].tolist()
            logits[:, declined] = -torch.inf
        chosen = logits.argmax(-1)
        for row in sorted(open_rows):
            token = int(chosen[row])
            if token == end:
                open_rows.discard(row)
            else:
                written[row].append(token)
        if not open_rows:
            break
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
    return written, chances


def _beside(asked: Sequence[Sequence[int]], start: int) -> tuple[Tensor, Tensor, Tensor]:
    """Questions of different length behind a paper of `start` tokens: filled on the left, counted apart."""
    length = max(map(len, asked))
    ids = torch.zeros((len(asked), length), dtype=torch.long)
    mask = torch.ones((len(asked), start + length), dtype=torch.long)
    positions = torch.full((len(asked), length), start)
    for row, tokens in enumerate(asked):
        room = length - len(tokens)
        ids[row, room:] = torch.tensor(list(tokens))
        mask[row, start : start + room] = 0
        positions[row, room:] = torch.arange(start, start + len(tokens))
    return ids, mask, positions


@torch.no_grad()
def held_out_loss(model: Any, packs: Iterable[Pack]) -> float:
    """The mean loss of an answer's token."""
    losses = torch.cat([answer_losses(model, pack.to(model.device)).cpu() for pack in packs])
    return float(losses.mean())


@torch.no_grad()
def says_yes(model: Any, speller: Speller, sheet: Sheet, lesson: Lesson) -> float:
    """How much likelier than "No." the reader finds "Yes." for a proposed answer, in log-odds."""
    yes = Lesson(lesson.type, lesson.question, "Yes.", lesson.proposed)
    no = Lesson(lesson.type, lesson.question, "No.", lesson.proposed)
    pack = speller.pack(Sheet(sheet.paper, (yes, no))).to(model.device)
    losses = answer_losses(model, pack)
    half = len(losses) // 2
    return float(losses[half:].sum() - losses[:half].sum())


def figures(found: Sequence[WrittenReply], bar: float = BAR) -> dict[str, float]:
    """Shares over these answers, declining at this bar; one with no question to be a share of is left out.

    `right`: told and right, of all that can be told; `right_if_told`: had nothing been declined.
    """
    told = [answer for answer in found if answer.answerable]
    silent = [answer for answer in found if not answer.answerable]
    written = [answer for answer in told if answer.declining <= bar]
    shares: dict[str, list[bool] | list[int]] = {
        "right": [answer.right and answer.declining <= bar for answer in told],
        "right_if_told": [answer.right for answer in told],
        "wrongly_refused": [answer.declining > bar for answer in told],
        "refused": [answer.declining > bar for answer in silent],
        "words": [len(answer.written.split()) for answer in written],
    }
    return {name: round(sum(values) / len(values), 3) for name, values in shares.items() if values}


def as_row(answer: WrittenReply) -> dict[str, Any]:
    """An answer with its judgement, for a file."""
    return asdict(answer) | {"right": answer.right}
