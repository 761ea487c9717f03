"""The run-time check: which drafted sentences stand, and on which paper.

A draft is split into sentences; each is held against the evidence of each paper. It stays when all hard
checks pass (`rag.checks`) and the verifier's support reaches the bar; the paper that carries it best
becomes its citation, whatever number the model wrote. Everything else is dropped with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.checks import fault, quantities
from rag.chunking import sentence_spans
from rag.citations import keys_in, resolved, strip_marks
from rag.cleaning import clean
from rag.question import asks_for_number
from rag.terms import content_terms
from rag.types import DroppedSentence, Evidence, Sentence
from rag.verifier import Verifier

_LEAD = re.compile(r"^(?:[-*•]\s+|(?:answer|a)\s*:\s*|\d+[.)]\s+)+", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"\b(?:not (?:provided|mentioned|specified|stated|in the (?:evidence|sources?))"
    r"|(?:do|does) not (?:provide|mention|specify|state|contain)|no (?:information|mention))\b",
    re.IGNORECASE,
)
_WORDS_MIN = 3


@dataclass(frozen=True, slots=True)
class Drafted:
    """A sentence of a draft and the keys the model put behind it."""

    text: str
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grounded:
    """What stood and what fell."""

    kept: tuple[Sentence, ...]
    dropped: tuple[DroppedSentence, ...]


def split_draft(draft: str) -> list[Drafted]:
    """Sentences with their marks; a mark after the full stop belongs to the sentence before it."""
    text = re.sub(r"([.!?])(\s*(?:\[\d[\d,;\s]*\])+)", r"\2\1", draft)
    found = []
    for line in text.split("\n"):
        for start, end in sentence_spans(line):
            sentence = line[start:end]
            bare = _LEAD.sub("", strip_marks(sentence)).strip()
            bare = re.sub(r"\s+([.!?])$", r"\1", bare)
            if any(c.isalnum() for c in bare):
                found.append(Drafted(bare, keys_in(sentence)))
    return found


def evidence_text(evidence: Sequence[Evidence], key: int) -> str:
    """What a claim citing `key` may rest on: the paper's title and the sentences shown, one a line."""
    own = [item for item in evidence if item.key == key]
    title = clean(own[0].paper.title) if own else ""
    return "\n".join([title, *(clean(item.text) for item in own)])


def ground(
    question: str,
    draft: str,
    evidence: Sequence[Evidence],
    verifier: Verifier,
    *,
    support_min: float,
) -> Grounded:
    """Keep the sentences that the evidence carries; see the module docstring."""
    texts = {key: evidence_text(evidence, key) for key in {item.key for item in evidence}}
    kept: list[Sentence] = []
    dropped: list[DroppedSentence] = []
    for drafted in split_draft(draft):
        said = {sentence.text.casefold() for sentence in kept}
        reason = blemish(question, drafted.text, said)
        if reason is None:
            verdict = _best_key(drafted, texts, verifier, support_min)
            if isinstance(verdict, Sentence):
                kept.append(verdict)
                continue
            dropped.append(verdict)
        else:
            dropped.append(DroppedSentence(drafted.text, reason, 0.0))
    if kept and asks_for_number(question) and not any(quantities(s.text) for s in kept):
        reason = "asked for a number, gives none"
        dropped.extend(DroppedSentence(s.text, reason, s.support) for s in kept)
        kept = []
    return Grounded(tuple(kept), tuple(dropped))


def blemish(question: str, sentence: str, said: set[str]) -> str | None:
    """Why a sentence is no answer whatever the evidence says, or None."""
    if sentence.casefold() in said:
        return "said before"
    if sentence.endswith("?"):
        return "a question"
    if _NO_ANSWER.search(sentence):
        return "says there is no answer"
    if len(sentence.split()) < _WORDS_MIN and not quantities(sentence):
        return "a fragment"
    if content_terms(sentence) <= content_terms(question):
        return "repeats the question"
    return None


def _best_key(
    drafted: Drafted, texts: dict[int, str], verifier: Verifier, support_min: float
) -> Sentence | DroppedSentence:
    """The sentence with the paper that carries it best, or why none does. Cited papers go first."""
    cited = resolved(drafted.keys, texts)
    order = [*cited, *(key for key in sorted(texts) if key not in cited)]
    faults = {key: fault(drafted.text, texts[key]) for key in order}
    sound = [key for key in order if faults[key] is None]
    if not sound:
        return DroppedSentence(drafted.text, str(faults[order[0]]), 0.0)
    scores = verifier.support([(drafted.text, texts[key]) for key in sound])
    support, key = max(zip(scores, sound, strict=True), key=lambda pair: pair[0])
    if support < support_min:
        return DroppedSentence(drafted.text, "the evidence does not carry it", support)
    return Sentence(drafted.text, (key,), support)
