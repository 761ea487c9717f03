"""All lessons of a paper in one sequence: the abstract once, then each question with its answer.

Each question sees the abstract and itself alone (a mask over pairs of tokens), and its positions are counted
from the abstract's end, so it reads exactly what it would read alone behind that abstract. The loss is taken
on the answers only, their first word more than the others; the head is asked nowhere else.

The paper and the question are tokenised apart: in use the paper was read before the question is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rag.models import openings
from training.examples import Abstract
from training.openings import Dialogue, Findings
from training.sheets import Lesson, Sheet

# An answer's first word settles whether it declines, and its yes or no: it counts for so many.
FIRST = 3.0
_CUT = "\ue000cut\ue000"  # where the paper ends and the question begins


@dataclass(frozen=True, slots=True)
class LessonParts:
    """A lesson behind its paper, as tokens: what is asked, and what should be written."""

    asked: list[int]
    answer: list[int]


@dataclass(frozen=True, slots=True)
class Pack:
    """One sequence: its tokens, their positions, who sees whom, and the tokens that should follow where."""

    ids: Tensor  # (1, length)
    positions: Tensor  # (1, length)
    sees: Tensor  # (1, 1, length, length), bool
    places: Tensor  # (answer tokens,): where each is foretold
    wanted: Tensor  # (answer tokens,)
    weights: Tensor  # (answer tokens,): what the loss of each counts

    def to(self, device: torch.device) -> Pack:
        """The same on another device."""
        return Pack(*(getattr(self, name).to(device) for name in self.__slots__))


class Speller:
    """Openings and questions as the tokens of one chat template."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        _, self._after = self._around("")

    def _around(self, system: str) -> tuple[str, str]:
        """What the template puts before and behind a user's turn."""
        turns = [{"role": "system", "content": system}, {"role": "user", "content": _CUT}]
        whole = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        before, _, after = whole.partition(_CUT)
        return before, after

    def paper(self, paper: Abstract | Dialogue | Findings) -> list[int]:
        """The beginning of every conversation about this paper, or behind these turns or findings."""
        opening = _opening(paper)
        return self._tokens(self._around(opening.system)[0] + opening.user)

    def asked(self, lesson: Lesson) -> list[int]:
        """The rest of the conversation, up to where the answer begins."""
        if lesson.proposed is None:
            return self._tokens(openings.asked(lesson.question) + self._after)
        return self._tokens(openings.proposed(lesson.question, lesson.proposed) + self._after)

    def parts(self, lesson: Lesson) -> LessonParts:
        """A lesson; its answer ends the turn."""
        answer = [*self._tokens(lesson.answer), self._tokenizer.eos_token_id]
        return LessonParts(self.asked(lesson), answer)

    def pack(self, sheet: Sheet) -> Pack:
        """A paper with its lessons."""
        return packed(self.paper(sheet.paper), [self.parts(lesson) for lesson in sheet.lessons])

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text, without what only marks turns."""
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def _tokens(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found


def _opening(paper: Abstract | Dialogue | Findings) -> openings.Opening:
    match paper:
        case Dialogue():
            return openings.of_conversation(paper.turns)
        case Findings():
            return openings.of_findings(paper.told)
        case _:
            return openings.of_paper(paper.title, " ".join(paper.sentences))


def packed(paper: Sequence[int], lessons: Sequence[LessonParts]) -> Pack:
    """One sequence of a paper's tokens and its lessons'."""
    ids, positions, owners = list(paper), list(range(len(paper))), [0] * len(paper)
    places: list[int] = []
    wanted: list[int] = []
    weights: list[float] = []
    for number, lesson in enumerate(lessons, start=1):
        own = lesson.asked + lesson.answer[:-1]  # nothing is foretold behind the last token
        first = len(ids) + len(lesson.asked) - 1
        places += range(first, first + len(lesson.answer))
        wanted += lesson.answer
        weights += [FIRST] + [1.0] * (len(lesson.answer) - 1)
        ids += own
        positions += range(len(paper), len(paper) + len(own))
        owners += [number] * len(own)
    return Pack(
        torch.tensor([ids]),
        torch.tensor([positions]),
        _sees(owners),
        torch.tensor(places),
        torch.tensor(wanted),
        torch.tensor(weights),
    )


def _sees(owners: Sequence[int]) -> Tensor:
    """Each token sees what stands before it of the paper (owner 0) and of its own lesson."""
    owner = torch.tensor(owners)
    allowed = (owner[None, :] == 0) | (owner[None, :] == owner[:, None])
    return allowed.tril()[None, None]


def answer_losses(model: nn.Module, pack: Pack) -> Tensor:
    """The loss at each answer token. `model`: a causal language model, or one with adapters."""
    whole: Any = model
    inner = whole.get_base_model() if hasattr(whole, "get_base_model") else whole
    states = inner.model(
        input_ids=pack.ids, attention_mask=pack.sees, position_ids=pack.positions, use_cache=False
    ).last_hidden_state
    logits = inner.lm_head(states[0, pack.places])
    return nn.functional.cross_entropy(logits.float(), pack.wanted, reduction="none")
