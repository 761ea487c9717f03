"""Citation recall and precision as ALCE defines them, and faithfulness. Pure but for the judge.

Gao, Yen, Yu and Chen: Enabling Large Language Models to Generate Text with Citations, EMNLP 2023, section 3
(`compute_autoais` in the authors' `eval.py`). One citation is one cited paper, read as its title and quotes.
Their cap of three citations a sentence is not applied: Citewise cites what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eval.metrics.judges import Judge
from rag.text.marks import display, strip_marks
from rag.types import Answer, Citation


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A shown sentence without marks, and the text of each of its citations.

    `resolves` is False when a key names no citation; such a sentence is unsupported, as in ALCE.
    """

    claim: str
    premises: tuple[str, ...]
    resolves: bool = True


def premise_of(citation: Citation, *, titled: bool = True) -> str:
    """What a citation says: the paper's title, then its quotes, one a line, as a person sees them."""
    quotes = [display(quote.text) for quote in citation.quotes]
    return "\n".join([display(citation.title), *quotes] if titled else quotes)


def cited_sentences(answer: Answer, *, titled: bool = True) -> tuple[CitedSentence, ...]:
    """The shown sentences of an answer; none when it declined. A key given twice counts once."""
    told = {citation.key: premise_of(citation, titled=titled) for citation in answer.citations}
    return tuple(
        CitedSentence(
            strip_marks(sentence.text),
            tuple(told[key] for key in dict.fromkeys(sentence.citations) if key in told),
            all(key in told for key in sentence.citations),
        )
        for sentence in answer.sentences
    )


def is_supported(sentence: CitedSentence, judge: Judge) -> bool:
    """Whether all citations together support the sentence. Uncited, or citing what is not there: False."""
    if not sentence.premises or not sentence.resolves:
        return False
    return judge.supports(sentence.claim, "\n".join(sentence.premises))


def relevant_citations(sentence: CitedSentence, judge: Judge) -> int:
    """How many citations of a sentence are precise.

    None are when the sentence is not supported by all of them together. Otherwise a citation is irrelevant
    when it alone does not support the sentence and the others without it still do (leave one out).
    """
    if not is_supported(sentence, judge):
        return 0
    if len(sentence.premises) == 1:
        return 1
    return sum(not _is_irrelevant(sentence, at, judge) for at in range(len(sentence.premises)))


def _is_irrelevant(sentence: CitedSentence, at: int, judge: Judge) -> bool:
    if judge.supports(sentence.claim, sentence.premises[at]):
        return False
    rest = [*sentence.premises[:at], *sentence.premises[at + 1 :]]
    return judge.supports(sentence.claim, "\n".join(rest))


def citation_recall(sentences: Sequence[CitedSentence], judge: Judge) -> float | None:
    """ALCE citation recall of one answer: supported sentences / sentences; an uncited one counts 0.

    Zero case: None for an answer without sentences (ALCE skips it).
    """
    if not sentences:
        return None
    return sum(is_supported(sentence, judge) for sentence in sentences) / len(sentences)


def citation_precision(sentences: Sequence[CitedSentence], judge: Judge) -> float | None:
    """ALCE citation precision of one answer: relevant citations / citations.

    Citations of a sentence with a key that names nothing are left out of both, as in ALCE. Zero cases: None
    for an answer without sentences, 0.0 for one with sentences and no citation.
    """
    if not sentences:
        return None
    total = sum(len(sentence.premises) for sentence in sentences if sentence.resolves)
    return sum(relevant_citations(sentence, judge) for sentence in sentences) / total if total else 0.0


def citation_scores(answers: Iterable[Answer], judge: Judge) -> tuple[float, float]:
    """Mean citation recall and precision over the answers that show a sentence; nan when none does."""
    found = [sentences for answer in answers if (sentences := cited_sentences(answer))]
    if not found:
        return math.nan, math.nan
    recalls = [citation_recall(sentences, judge) or 0.0 for sentences in found]
    precisions = [citation_precision(sentences, judge) or 0.0 for sentences in found]
    return sum(recalls) / len(found), sum(precisions) / len(found)


def verdicts(answer: Answer, judge: Judge, *, titled: bool = True) -> tuple[bool, ...]:
    """For each shown sentence whether its quotes (and titles) support it."""
    return tuple(is_supported(sentence, judge) for sentence in cited_sentences(answer, titled=titled))


def faithfulness(answers: Iterable[Answer], judge: Judge, *, titled: bool = True) -> float:
    """Supported shown sentences / shown sentences, over all answers (Es et al., RAGAS, 2024, per sentence).

    Differs from citation recall in the mean: each sentence weighs the same, not each answer.
    Zero case: nan when no sentence is shown (a system that only declines is neither faithful nor not).
    """
    found = [verdict for answer in answers for verdict in verdicts(answer, judge, titled=titled)]
    return sum(found) / len(found) if found else math.nan
