"""Whether answers are right, declined where they should be, and free of invented numbers. Pure."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Collection, Sequence

from eval.questions.questions import Gold
from rag.text.clean import clean
from rag.text.marks import display, strip_marks
from rag.types import Answer
from rag.verify.numbers import unsupported_numbers

Row = tuple[Gold, Answer]
SHORT_WORDS = 80
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def mean(values: Sequence[float | bool | None]) -> float:
    """Mean of what is not None; nan when there is nothing."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan


def is_refusal(answer: Answer) -> bool:
    """True when the assistant declined. An error is neither a refusal nor an answer."""
    return answer.status == "abstained"


def has_answer(answer: Answer) -> bool:
    """True when sentences are shown as the answer, written or quoted."""
    return answer.status in {"answered", "quoted"}


def is_correct(gold: Gold, answer: Answer) -> bool | None:
    """Must-contain: every list of alternatives has one in the text (or, for papers, in a cited title).

    The string match of ASQA (Stelmakh et al., 2022) and ALCE, all lists at once. Zero cases: None without
    must-contain lists, as nothing is known to be right or wrong; else False without an answer.
    """
    if not gold.must:
        return None
    if not has_answer(answer):
        return False
    titles = " ".join(clean(citation.title) for citation in answer.citations)
    text = _folded(f"{answer.text} {titles}")
    return all(any(_folded(choice) in text for choice in choices) for choices in gold.must)


def is_correct_and_short(gold: Gold, answer: Answer) -> bool | None:
    """The same, told in at most `SHORT_WORDS` words: an answer, not a reading list."""
    right = is_correct(gold, answer)
    words = sum(len(sentence.text.split()) for sentence in answer.sentences)
    return None if right is None else right and words <= SHORT_WORDS


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).casefold()


def squad_tokens(text: str) -> list[str]:
    """Tokens after the normalisation of SQuAD (Rajpurkar et al., 2016).

    Lower case, ASCII punctuation removed, articles removed, white space collapsed.
    """
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def token_f1(prediction: str, reference: str) -> float:
    """F1 = 2PR / (P + R) over the bags of `squad_tokens` (Rajpurkar et al., 2016).

    Zero cases as in the SQuAD 2.0 script: when either side has no token, 1.0 if both have none, else 0.0.
    """
    predicted, expected = squad_tokens(prediction), squad_tokens(reference)
    if not predicted or not expected:
        return float(predicted == expected)
    shared = sum((Counter(predicted) & Counter(expected)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def answer_f1(gold: Gold, answer: Answer) -> float | None:
    """`token_f1` of the shown sentences against the ideal answer; 0.0 when declined, None without one."""
    if gold.answer is None:
        return None
    if not has_answer(answer):
        return 0.0
    return token_f1(" ".join(strip_marks(s.text) for s in answer.sentences), gold.answer)


def refusal_recall(rows: Sequence[Row], types: Collection[str] | None = None) -> float:
    """Share of the unanswerable questions (of these types: 'near_unanswerable', 'far') that were declined.

    Recall of abstention (as in SQuAD 2.0's NoAns). An error counts as not declined. nan when there are none.
    """
    kept = [(g, a) for g, a in rows if not g.answerable and (types is None or g.type in types)]
    return mean([is_refusal(answer) for _, answer in kept])


def false_refusal_rate(rows: Sequence[Row]) -> float:
    """Share of the answerable questions that were declined; nan when there are none."""
    return mean([is_refusal(answer) for gold, answer in rows if gold.answerable])


def coverage(rows: Sequence[Row]) -> float:
    """Share of the answerable questions that got an answer (errors lower it); nan when there are none."""
    return mean([has_answer(answer) for gold, answer in rows if gold.answerable])


def has_right_citation(gold: Gold, answer: Answer) -> bool:
    """At least one cited paper is a gold paper."""
    return any(citation.title in gold.titles for citation in answer.citations)


def title_precision(gold: Gold, answer: Answer) -> float | None:
    """Share of the distinct cited titles that are gold; None when nothing is cited."""
    cited = {citation.title for citation in answer.citations}
    return len(cited & set(gold.titles)) / len(cited) if cited else None


def title_recall(gold: Gold, answer: Answer) -> float | None:
    """Share of the gold titles that are cited; None without gold titles, 0.0 when nothing is cited."""
    wanted = set(gold.titles)
    return len(wanted & {c.title for c in answer.citations}) / len(wanted) if wanted else None


def sentences_with_unsupported_numbers(answer: Answer, *, titles: bool = False) -> tuple[bool, ...]:
    """For each shown sentence whether a number of it stands in none of its cited quotes.

    `titles` lets the titles of the cited papers count as well. A sentence without numbers is never one.
    """
    told = {
        c.key: "\n".join([*([display(c.title)] if titles else []), *(display(q.text) for q in c.quotes)])
        for c in answer.citations
    }
    return tuple(
        bool(unsupported_numbers(s.text, "\n".join(told.get(key, "") for key in s.citations)))
        for s in answer.sentences
    )


def unsupported_number_rate(answers: Sequence[Answer], *, titles: bool = False) -> float:
    """Share of all shown sentences with a number that is not in their quotes; nan when none is shown.

    Over sentences, not answers, and over sentences with and without numbers: what a reader meets.
    """
    return mean([flag for a in answers for flag in sentences_with_unsupported_numbers(a, titles=titles)])
