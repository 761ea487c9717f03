"""From verified sentences, or from evidence alone, to the text, citations and quotes of an answer.

Pure functions: nothing here decides whether something is true, only how what stood is put together.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.text.marks import display, with_marks
from rag.types import (
    OF_SEVERAL_PAPERS,
    Abstention,
    AbstentionReason,
    Citation,
    Evidence,
    Kind,
    Passage,
    Quote,
    Sentence,
)
from rag.verify.carrying import carrying, is_address, most_telling

_CLOSEST = 3
SHORT_WORDS = 80  # of an answer that is still short
_RESTS_ON_THE_BEST = 0.5  # of the best sentence's probability
_MESSAGES: dict[AbstentionReason, str] = {
    "empty_question": "There is no question to answer.",
    "empty_collection": "This collection holds no papers yet.",
    "no_evidence": "Nothing in this collection bears on the question.",
    "low_confidence": "The papers found do not seem to answer this question.",
}


def quotes_of(
    evidence: Sequence[Evidence], kind: Kind, *, relative_min: float, sentences_max: int
) -> list[Evidence]:
    """The sentences quoted when no draft stood: the best, and those nearly as likely, best first.

    For questions about several papers: the best of each paper.
    """
    ranked = sorted(evidence, key=lambda e: (is_address(e), -e.score, e.key, e.start))
    if kind in OF_SEVERAL_PAPERS:
        firsts = {item.key: item for item in reversed(ranked)}
        return [firsts[key] for key in sorted(firsts)]
    near = [item for item in ranked if item.score >= relative_min * ranked[0].score and _told(item, ranked)]
    chosen = near[:sentences_max]
    if kind == "find":
        chosen = [item for item in chosen if item.key == chosen[0].key]
    return chosen


def rests(kept: Sequence[Sentence], evidence: Sequence[Evidence]) -> float:
    """How telling the best sentence that what stood rests on is beside the most telling of its paper: 0..1.

    Of answers on dev from half on nine of ten are right, of the others six (eval/LOG.md).

    :param kept: what stood on one paper, at least one sentence.
    :param evidence: the paper's sentences.
    """
    resting = [item for sentence in kept for item in carrying(sentence.text, evidence)]
    return min(1.0, max(item.score for item in resting) / most_telling(evidence).score)


def best_beside(kept: Sequence[Sentence], evidence: Sequence[Evidence]) -> Evidence | None:
    """The most telling sentence of the one paper that is told, where what stood rests on others: see `rests`.

    None where the answer rests on it, or would become longer than `SHORT_WORDS`.
    """
    if rests(kept, evidence) >= _RESTS_ON_THE_BEST:
        return None
    best = most_telling(evidence)
    words = sum(len(sentence.text.split()) for sentence in kept) + len(display(best.text).split())
    return best if words <= SHORT_WORDS else None


def _told(item: Evidence, ranked: Sequence[Evidence]) -> bool:
    """Addresses are quoted only where there is nothing else."""
    return not is_address(item) or is_address(ranked[0])


def as_sentences(quoted: Sequence[Evidence]) -> list[Sentence]:
    """Evidence as answer sentences: verbatim but for clean-up of the listing's blemishes, support 1."""
    return [Sentence(display(item.text), (item.key,), 1.0) for item in quoted]


def citations_for(sentences: Sequence[Sentence], evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """One citation per key in use, with the quotes that carry its sentences, in text order."""
    spans: dict[int, dict[tuple[int, int], Evidence]] = {}
    for sentence in sentences:
        for key in sentence.citations:
            for item in carrying(sentence.text, [e for e in evidence if e.key == key]):
                spans.setdefault(key, {})[item.start, item.end] = item
    return tuple(_citation(key, list(spans[key].values())) for key in sorted(spans))


def _citation(key: int, items: Sequence[Evidence]) -> Citation:
    paper = items[0].paper
    quotes = tuple(Quote(item.text, item.start, item.end) for item in sorted(items, key=lambda e: e.start))
    return Citation(key, paper.paper_id, paper.title, quotes, paper.url, paper.year)


def renumbered(
    sentences: Sequence[Sentence], evidence: Sequence[Evidence]
) -> tuple[list[Sentence], list[Evidence]]:
    """Keys as 1, 2, ... in order of first use; evidence of unused papers is left out."""
    order = dict.fromkeys(key for sentence in sentences for key in sentence.citations)
    new = {key: number for number, key in enumerate(order, start=1)}
    moved = [Sentence(s.text, tuple(new[key] for key in s.citations), s.support) for s in sentences]
    kept = [Evidence(new[e.key], e.paper, e.start, e.end, e.score) for e in evidence if e.key in new]
    return moved, kept


def text_of(
    sentences: Sequence[Sentence], evidence: Sequence[Evidence], *, titled: bool, quoted: bool
) -> str:
    """The answer's text. What rests on several papers stands first; then, where `titled`, a line a paper.

    `titled` puts the paper's title first; `quoted` adds quotes.
    """
    if not titled:
        return " ".join(with_marks(s.text, s.citations) for s in sentences)
    titles = {item.key: display(item.paper.title) for item in evidence}
    summary = [with_marks(s.text, s.citations) for s in sentences if len(s.citations) > 1]
    lines: dict[int, list[str]] = {}
    for sentence in sentences:
        if len(sentence.citations) == 1:
            words = f"“{sentence.text}”" if quoted else sentence.text
            lines.setdefault(sentence.citations[0], []).append(with_marks(words, sentence.citations))
    several = len(lines) > 1
    told = [f"{'- ' if several else ''}{titles[key]}: {' '.join(texts)}" for key, texts in lines.items()]
    return "\n".join([*([" ".join(summary)] if summary else []), *told])


def closest_titles(passages: Sequence[Passage]) -> tuple[str, ...]:
    """The titles nearest to a question that got no answer, cleaned."""
    return tuple(display(passage.paper.title) for passage in passages[:_CLOSEST])


def abstain(reason: AbstentionReason, passages: Sequence[Passage]) -> Abstention:
    """A refusal with its message and the closest titles."""
    return Abstention(reason, _MESSAGES[reason], closest_titles(passages))
