"""Hard checks on one sentence against the evidence it cites: numbers, names, negation, direction, slips.

Each returns what is wrong, or nothing. They veto; how far the evidence carries a sentence is the
verifier's score. Pure functions on cleaned text; numbers are read in `rag.text.numbers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.verify.direction import direction_differs
from rag.verify.exchanged_words import exchanged_words
from rag.verify.miscopied import miscopied_words
from rag.verify.names import unsupported_names
from rag.verify.negation import negation_differs
from rag.verify.numbers import unsupported_numbers
from rag.verify.swapped_numbers import exchanged_numbers

_CHECKS: tuple[tuple[str, Callable[[str, str], Sequence[str] | bool]], ...] = (
    ("number not in the evidence", unsupported_numbers),
    ("name not in the evidence", unsupported_names),
    ("negation differs from the evidence", negation_differs),
    ("direction differs from the evidence", direction_differs),
    ("number stands elsewhere in the evidence", exchanged_numbers),
    ("words that changed places", exchanged_words),
    ("a word copied wrongly", miscopied_words),
)


def veto(sentence: str, evidence: str) -> str | None:
    """The first check the sentence fails against its evidence (title and sentences), or None."""
    for reason, check in _CHECKS:
        found = check(sentence, evidence)
        if found:
            return reason if isinstance(found, bool) else f"{reason}: {', '.join(found)}"
    return None
