"""Whether an answer says what a reference says, strictly, by figures and words."""

from __future__ import annotations

from rag.text.numbers import quantities, same
from rag.text.terms import content_terms, words

SHARE = 0.6


def is_right(reference: str, answer: str) -> bool:
    """Every figure of the reference, six tenths of its content words, and the same yes or no."""
    told = quantities(answer)
    if not all(any(same(figure, own) for own in told) for figure in quantities(reference)):
        return False
    first, own = (words(text)[:1] for text in (reference, answer))
    if {*first, *own} == {"yes", "no"}:
        return False
    wanted = content_terms(reference)
    return len(wanted & content_terms(answer)) >= SHARE * len(wanted)
