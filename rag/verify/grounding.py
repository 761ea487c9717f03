"""The run-time check: which drafted sentences stand, and on which paper.

A draft is split into sentences; each is held against the evidence of each paper. It stays when all hard
checks pass (`rag.verify.checks`) and the verifier's support reaches the bar, both of the sentences that carry
it (`rag.verify.carrying`); the paper that carries it best
becomes its citation, whatever number the model wrote. Everything else is dropped with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.models import openings
from rag.ports import PaperReader, Verifier
from rag.text.marks import display, keys_in, resolved, strip_marks
from rag.text.numbers import quantities
from rag.text.printable import printable
from rag.text.sentences import sentence_spans
from rag.text.terms import content_terms
from rag.types import Draft, DroppedSentence, Evidence, Finding, Sentence
from rag.verify.carrying import carrying, most_telling, told_by
from rag.verify.checks import veto
from rag.verify.support import FRAMING

_LEAD = re.compile(r"^(?:[-*•:]\s+|(?:the )?(?:answer|source|a)(?: is)?\s*:\s*|\d+[.)]\s+)+", re.IGNORECASE)
_DANGLING = re.compile(
    r"(?:\b(?:is|are|was|the|a|an|of|to|in|and|or|that|which|by|with|for|as|it|this|we)|[-,:;(])$", re.I
)
_NO_ANSWER = re.compile(
    r"\b(?:not (?:provided|mentioned|specified|stated|in (?:the|this) (?:evidence|sources?|abstract))"
    r"|(?:do|does) not (?:provide|mention|specify|state|contain)|no (?:information|mention))\b",
    re.IGNORECASE,
)
_WORDS_MIN = 3
_YES_NO = ("Yes", "No")
_SHARED = 0.3
_UNSTOPPED_WORDS_MAX = 4


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of a draft and the keys the model put behind it."""

    text: str
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grounded:
    """What stood and what fell.

    `right`: log-odds, by the reader, that what stood answers the question; where nothing did, that the most
    telling sentence of the paper does.
    """

    kept: tuple[Sentence, ...]
    dropped: tuple[DroppedSentence, ...]
    right: float | None = None


def by_paper(checked: Sequence[Grounded]) -> dict[int, list[Sentence]]:
    """What stood, by the key of the paper it stands on."""
    found: dict[int, list[Sentence]] = {}
    for sentence in (sentence for one in checked for sentence in one.kept):
        found.setdefault(sentence.citations[0], []).append(sentence)
    return found


def split_draft(draft: str) -> list[DraftSentence]:
    """Sentences with their marks; a mark after the full stop belongs to the sentence before it."""
    text = re.sub(r"([.!?])(\s*(?:\[\d[\d,;\s]*\])+)", r"\2\1", draft)
    found = []
    for line in map(printable, text.split("\n")):
        for start, end in sentence_spans(line):
            sentence = line[start:end]
            bare = _LEAD.sub("", strip_marks(sentence)).strip()
            bare = re.sub(r"\s+([.!?])$", r"\1", bare)
            if any(c.isalnum() for c in bare):
                found.append(DraftSentence(bare, keys_in(sentence)))
    return found


def ground(
    question: str,
    draft: str,
    evidence: Sequence[Evidence],
    verifier: Verifier,
    *,
    support_min: float,
) -> Grounded:
    """Keep the sentences that the evidence carries; see the module docstring."""
    papers = {key: [item for item in evidence if item.key == key] for key in {e.key for e in evidence}}
    titles = [display(item.paper.title) for item in evidence]
    kept: list[Sentence] = []
    dropped: list[DroppedSentence] = []
    for drafted in split_draft(_without_titles(draft, titles)):
        reason = reject_reason(question, drafted.text, {sentence.text.casefold() for sentence in kept})
        if reason is not None:
            dropped.append(DroppedSentence(drafted.text, reason, 0.0))
            continue
        verdict = _best_key(drafted, papers, verifier, support_min)
        if isinstance(verdict, Sentence):
            kept.append(verdict)
        else:
            dropped.append(verdict)
    return Grounded(tuple(kept), tuple(dropped))


def reject_reason(question: str, sentence: str, said: set[str]) -> str | None:
    """Why a sentence is no answer whatever the evidence says, or None."""
    if sentence.casefold() in said:
        return "said before"
    if sentence.endswith("?") or _NO_ANSWER.search(sentence):
        return "a question, or says there is no answer"
    bare_digit = sentence.strip(".").isdigit() and len(sentence) < _WORDS_MIN
    if bare_digit or (len(sentence.split()) < _WORDS_MIN and not quantities(sentence)):
        return "a fragment"
    if _DANGLING.search(sentence) or (not sentence.endswith((".", "!", '"', ")")) and _is_long(sentence)):
        return "unfinished"
    if content_terms(sentence) - FRAMING <= content_terms(question):
        return "adds nothing to the question"
    return None


def _is_long(sentence: str) -> bool:
    """A short phrase may stand without a full stop ('Up to 9.1x'); a long one was cut off."""
    return len(sentence.split()) > _UNSTOPPED_WORDS_MAX


def _without_titles(draft: str, titles: Sequence[str]) -> str:
    """The draft without 'Title:' in front of what it copies from the sources."""
    for title in titles:
        draft = draft.replace(f"{title}:", "")
    return draft


def _best_key(
    drafted: DraftSentence,
    papers: Mapping[int, Sequence[Evidence]],
    verifier: Verifier,
    support_min: float,
) -> Sentence | DroppedSentence:
    """The sentence with the paper that carries it best, or why none does. Cited papers go first."""
    cited = resolved(drafted.keys, papers)
    order = [*cited, *(key for key in sorted(papers) if key not in cited)]
    texts = {key: told_by(carrying(drafted.text, papers[key])) for key in order}
    faults = {key: veto(drafted.text, texts[key]) for key in order}
    sound = [key for key in order if faults[key] is None]
    if not sound:
        return DroppedSentence(drafted.text, str(faults[order[0]]), 0.0)
    scores = verifier.support([(drafted.text, texts[key]) for key in sound])
    support, key = max(zip(scores, sound, strict=True), key=lambda pair: pair[0])
    if support < support_min:
        return DroppedSentence(drafted.text, "the evidence does not carry it", support)
    return Sentence(drafted.text, (key,), support)


@dataclass(frozen=True, slots=True)
class Verification:
    """The stage: which sentences of the drafts stand. `support_min`: the bar of the support, 0..1.

    :param judge: a reader that says whether what is shown answers the question; None where there is none.
    """

    verifier: Verifier
    support_min: float
    judge: PaperReader | None = None

    def __call__(self, question: str, drafts: Sequence[Draft]) -> list[Grounded]:
        """What stood and what fell, a draft, in their order; each rests on its own evidence alone."""
        found = [
            ground(question, draft.text, draft.evidence, self.verifier, support_min=self.support_min)
            for draft in drafts
        ]
        if self.judge is None:
            return found
        told = [place for place, draft in enumerate(drafts) if draft.evidence]
        judged = self._right(question, [(_opening(drafts[n]), _shown(found[n], drafts[n])) for n in told])
        for place, right in zip(told, judged, strict=True):
            found[place] = replace(found[place], right=right)
        return found

    def summary(self, question: str, text: str, findings: Sequence[Finding]) -> list[Sentence]:
        """The sentences of a summary that stand on what the papers were found to say, two of them or more.

        Nothing where the reader calls the whole of it wrong: names that change places pass the other checks.
        """
        told = "\n".join(f"{one.title}\n{one.text}" for one in findings)
        kept = []
        for drafted in split_draft(text):
            if reject_reason(question, drafted.text, set()) or veto(drafted.text, told):
                continue
            [support] = self.verifier.support([(drafted.text, told)])
            keys = tuple(one.key for one in findings if _shares(drafted.text, one))
            if support >= self.support_min and len(keys) > 1:
                kept.append(Sentence(drafted.text, keys, support))
        if kept and self.judge is not None:
            opening = openings.of_findings((one.title, one.text) for one in findings)
            [right] = self._right(question, [(opening, " ".join(sentence.text for sentence in kept))])
            return kept if right > 0 else []
        return kept

    def _right(self, question: str, told: Sequence[tuple[openings.Opening, str]]) -> list[float]:
        """Log-odds of yes against no, to each text behind its opening."""
        if self.judge is None or not told:
            return []
        asked = [openings.conversation(opening, openings.proposed(question, text)) for opening, text in told]
        return [read.first[0] - read.first[1] for read in self.judge.readings(asked, _YES_NO)]


def _opening(draft: Draft) -> openings.Opening:
    """As the draft was written from."""
    return openings.of_text(draft.paper, draft.evidence[0].start)


def _shown(grounded: Grounded, draft: Draft) -> str:
    """What stood; where nothing did, what will be quoted first."""
    if not grounded.kept:
        return display(most_telling(draft.evidence).text)
    return " ".join(sentence.text for sentence in grounded.kept)


def _shares(sentence: str, finding: Finding) -> bool:
    """Whether a summary's sentence tells something of a finding: a third of its words."""
    own = content_terms(finding.text) - FRAMING
    return bool(own) and len(own & content_terms(sentence)) >= _SHARED * len(own)
