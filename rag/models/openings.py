"""What the reader reads before a question: a paper, a conversation, or what several papers say.

An opening is the same for every question behind it, so what was read of it can be kept
(`rag.models.engines.kv_cache`).
Training and use read the very same words: `training.packing` spells its lessons from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

import prompts
from rag.errors import PromptError
from rag.text.marks import display, strip_marks
from rag.types import PaperText, Turn

NOT_TOLD = "Not in this abstract."  # what prompts/paper_system.txt asks for where a paper does not tell
# Of a message: after how many characters its opening ends, and whether what was read of it is worth keeping.
OPENING_ENDS, OPENING_KEPT = "opening_ends", "opening_kept"
_TURNS, _TURN_WORDS = 6, 60
_CHARS_MAX = 6000  # of an abstract that are read at once: one in thousands is longer
_SPEAKERS = {"user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True)
class Opening:
    """The system's line and how the user's turn begins; `kept`: it will be read again."""

    system: str
    user: str
    kept: bool = False


def of_paper(title: str, abstract: str) -> Opening:
    """A paper to be asked: prompts/paper_*.txt. :raises PromptError: see `_filled`."""
    return _opening("paper", {"title": display(title), "abstract": display(abstract)}, kept=True)


def of_text(text: PaperText, around: int = 0) -> Opening:
    """The same of a paper as it is kept. Of a very long abstract the window that holds a place best.

    :param around: where the sentence begins that bears most on the question, in characters.
    """
    spans = windows(text)
    place = next((n for n, sentence in enumerate(text.sentences) if sentence.end > around), 0)
    first, last = max(spans, key=lambda span: (min(place - span[0], span[1] - 1 - place), -span[0]))
    return of_paper(text.title, " ".join(sentence.text for sentence in text.sentences[first:last]))


def windows(text: PaperText) -> list[tuple[int, int]]:
    """Sentences `[first, last)` that are read at once: all of them, or windows that overlap by half.

    Fixed by the text alone, so that what was read of a window serves every question.
    """
    lengths = [len(sentence.text) + 1 for sentence in text.sentences]
    found: list[tuple[int, int]] = []
    first, total = 0, len(lengths)
    while True:
        last, room = first, _CHARS_MAX
        while last < total and (last == first or lengths[last] <= room):
            room -= lengths[last]
            last += 1
        found.append((first, last))
        if last >= total:
            return found
        first = max(first + 1, (first + last) // 2)


def of_conversation(turns: Sequence[Turn]) -> Opening:
    """The last three rounds, each turn cut at sixty words: prompts/rewrite_*.txt."""
    lines = [f"{_SPEAKERS[turn.role]}: {_short(strip_marks(turn.content))}" for turn in turns[-_TURNS:]]
    return _opening("rewrite", {"conversation": "\n".join(lines)})


def of_findings(told: Iterable[tuple[str, str]]) -> Opening:
    """(Title, sentence) of several papers, numbered from 1: prompts/summary_*.txt."""
    lines = [f"[{n}] {display(title)}: {text}" for n, (title, text) in enumerate(told, start=1)]
    return _opening("summary", {"findings": "\n".join(lines)})


def conversation(opening: Opening, rest: str) -> list[BaseMessage]:
    """An opening and what follows it, for any chat model; a local one keeps what it read of the opening."""
    told = {OPENING_ENDS: len(opening.user), OPENING_KEPT: opening.kept}
    return [SystemMessage(opening.system), HumanMessage(opening.user + rest, additional_kwargs=told)]


def asked(question: str) -> str:
    """What follows an opening when it is asked a question."""
    return "\n\n" + _filled("paper_question", {"question": question})


def proposed(question: str, answer: str) -> str:
    """What follows an opening when an answer is to be judged: yes or no."""
    return "\n\n" + _filled("paper_statement", {"question": question, "answer": answer})


def _short(text: str) -> str:
    words = text.split()
    return " ".join(words[:_TURN_WORDS]) + (" ..." if len(words) > _TURN_WORDS else "")


def _opening(name: str, values: Mapping[str, str], *, kept: bool = False) -> Opening:
    return Opening(_filled(f"{name}_system", {}), _filled(f"{name}_user", values), kept)


def _filled(name: str, values: Mapping[str, str]) -> str:
    """:raises PromptError: if a prompt file is missing or its variables do not match."""
    try:
        return prompts.load(name).render(values)
    except prompts.PromptFileError as exc:
        raise PromptError(str(exc), hint="Mend the file in prompts/, or reinstall.") from exc
