"""Hard checks on one sentence against the evidence it cites: numbers, names, negation, direction.

Each returns what is wrong, or nothing. They veto; how far the evidence carries a sentence is the
verifier's score. Pure functions on cleaned text; numbers are read in `rag.text.numbers`.
"""

from __future__ import annotations

from rag.verify.direction import direction_differs
from rag.verify.names import unsupported_names
from rag.verify.negation import negation_differs
from rag.verify.numbers import unsupported_numbers
from rag.verify.swapped_numbers import exchanged_numbers


def veto(sentence: str, evidence: str) -> str | None:
    """The first check the sentence fails against its evidence (title and sentences), or None."""
    if numbers := unsupported_numbers(sentence, evidence):
        return f"number not in the evidence: {', '.join(numbers)}"
    if names := unsupported_names(sentence, evidence):
        return f"name not in the evidence: {', '.join(names)}"
    if negation_differs(sentence, evidence):
        return "negation differs from the evidence"
    if direction_differs(sentence, evidence):
        return "direction differs from the evidence"
    if numbers := exchanged_numbers(sentence, evidence):
        return f"number stands elsewhere in the evidence: {', '.join(numbers)}"
    return None
