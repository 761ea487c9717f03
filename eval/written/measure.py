"""How answers to written questions did: right and short, paper by paper, refused where nothing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics.answers import has_answer, is_refusal, mean
from eval.metrics.calibration import expected_calibration_error
from eval.metrics.strict import is_right
from eval.written.questions import WrittenQuestion
from rag.text.terms import fold
from rag.types import Answer

WORDS_MAX = 80
GROUPS = {
    "natural": {"how_why", "result", "define_or_limit"},
    "two-part": {"two_facts"},
    "plain": {"fact_paraphrase", "fact_lexical", "plain", "single", "distractor", "definition"},
    "numeric": {"numeric", "oblique_numeric"},
    "oblique": {"oblique"},
    "find": {"find"},
}
ABSENT = "absent paper"  # asked of a collection that lacks the paper


@dataclass(frozen=True, slots=True)
class WrittenResult:
    """One question with its answer. `absent`: it was asked of a collection that lacks its paper."""

    asked: WrittenQuestion
    answer: Answer
    absent: bool = False

    @property
    def answerable(self) -> bool:
        """Whether the collection answers it."""
        return bool(self.asked.parts) and not self.absent

    @property
    def right(self) -> bool:
        """Told within 80 words and rightly cited; of several papers: at least half of their parts."""
        if not self.answerable or not has_answer(self.answer):
            return False
        return self.parts_told() >= 0.5 and shown_words(self.answer) <= WORDS_MAX

    def parts_told(self) -> float:
        """The share of the papers whose part is told, each by the sentences that cite it."""
        parts = self.asked.parts
        return mean([is_right(part.answer, text_on(self.answer, paper)) for paper, part in parts.items()])


def text_on(answer: Answer, paper_id: str) -> str:
    """The sentences that rest on a paper, joined, with its title."""
    keys = {citation.key for citation in answer.citations if citation.paper_id == paper_id}
    told = [sentence.text for sentence in answer.sentences if keys & set(sentence.citations)]
    titles = [citation.title for citation in answer.citations if citation.key in keys]
    return " ".join([*told, *titles]) if told else ""


def shown_words(answer: Answer) -> int:
    """Words of all sentences shown."""
    return sum(len(sentence.text.split()) for sentence in answer.sentences)


def is_named(question: WrittenQuestion, kind: str) -> bool:
    """Whether a question belongs to a group of `GROUPS`; those over several papers belong to none."""
    return question.type in GROUPS[kind] and not question.several


def table(results: Sequence[WrittenResult]) -> dict[str, dict[str, float]]:
    """By group of questions: how many, and the shares that apply to it."""
    plain = [one for one in results if not one.asked.history]
    told = [one for one in plain if one.answerable and not one.asked.several]
    found: dict[str, dict[str, float]] = {"one paper": _single(told)}
    for kind in GROUPS:
        found[kind] = _single([one for one in told if is_named(one.asked, kind)])
    several = [one for one in plain if one.answerable and one.asked.several]
    found["several papers"] = {
        "count": len(several),
        "parts told": mean([one.parts_told() if has_answer(one.answer) else 0.0 for one in several]),
        "all parts told": mean([has_answer(one.answer) and one.parts_told() == 1.0 for one in several]),
        "words": mean([shown_words(one.answer) for one in several if has_answer(one.answer)]),
        "own words": _own_words(several),
    }
    near = [one for one in plain if not one.answerable and not one.absent]
    found["near misses"] = {"count": len(near), "refused": mean([is_refusal(one.answer) for one in near])}
    absent = [one for one in plain if one.absent]
    found[ABSENT] = {"count": len(absent), "refused": mean([is_refusal(one.answer) for one in absent])}
    found["follow-ups"] = _followups([one for one in results if one.asked.history])
    found["all"] = {
        "count": len(results),
        "ECE against right": expected_calibration_error(
            [one.answer.confidence for one in plain if has_answer(one.answer)],
            [one.right for one in plain if has_answer(one.answer)],
        ),
        "seconds": mean([one.answer.timings.total_s for one in results]),
    }
    return found


def _single(told: Sequence[WrittenResult]) -> dict[str, float]:
    return {
        "count": len(told),
        "right within 80 words": mean([one.right for one in told]),
        "own words": _own_words(told),
        "refused": mean([is_refusal(one.answer) for one in told]),
        "words": mean([shown_words(one.answer) for one in told if has_answer(one.answer)]),
        "first": mean([_place(one) == 1 for one in told]),
        "within five": mean([0 < _place(one) <= 5 for one in told]),
        "cited": mean([_cites(one) for one in told]),
    }


def _own_words(told: Sequence[WrittenResult]) -> float:
    return mean([one.answer.status == "answered" for one in told if has_answer(one.answer)])


def _place(one: WrittenResult) -> int:
    """The rank of the first right paper; 0 where none was found."""
    ranks = [p.rank for p in one.answer.passages if p.paper.paper_id in one.asked.parts]
    return min(ranks, default=0)


def _cites(one: WrittenResult) -> bool:
    return any(citation.paper_id in one.asked.parts for citation in one.answer.citations)


def _followups(results: Sequence[WrittenResult]) -> dict[str, float]:
    changed = [one for one in results if one.asked.standalone != one.asked.question]
    alone = [one for one in results if one.asked.standalone == one.asked.question]
    return {
        "count": len(results),
        "first": mean([_place(one) == 1 for one in changed if one.asked.parts]),
        "right within 80 words": mean([one.right for one in changed if one.asked.parts]),
        "left alone": mean(
            [fold(one.answer.standalone_question) == fold(one.asked.question) for one in alone]
        ),
        "to be left alone": len(alone),
    }
