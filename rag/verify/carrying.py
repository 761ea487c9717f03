"""Which sentences of a paper carry a sentence of an answer: what is checked, and what is shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text.marks import display
from rag.text.terms import content_terms
from rag.types import Evidence
from rag.verify.checks import veto
from rag.verify.support import FRAMING, containment

CARRYING_MAX = 3  # quotes of one paper for one sentence
_ADDRESS = "://"
_WORDS_WORTH_A_QUOTE = 2


def carrying(sentence: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The fewest sentences of one paper that hold what the sentence says and pass every check.

    One after the other that holds most of the words still missing; a single word more is not worth a quote.
    Where the checks want more than that (a number, a name), the nearest others until they pass; where none
    of them helps (a sentence on two papers names what the other says), none.

    :param evidence: sentences of one paper, at least one.
    """
    words = [content_terms(display(item.text)) for item in evidence]
    missing = (content_terms(sentence) - FRAMING) & frozenset().union(*words)
    nearest = sorted(
        range(len(evidence)),
        key=lambda n: (-containment(sentence, display(evidence[n].text)), -evidence[n].score, n),
    )
    chosen: list[int] = []
    while len(chosen) < CARRYING_MAX:
        best = max(nearest, key=lambda n: len(missing & words[n]))
        if chosen and len(missing & words[best]) < _WORDS_WORTH_A_QUOTE:
            break
        chosen.append(best)
        missing -= words[best]
    fewest = [evidence[n] for n in chosen]
    others = [evidence[n] for n in nearest if n not in chosen][: CARRYING_MAX - len(chosen)]
    for count in range(len(others) + 1):
        enough = [*fewest, *others[:count]]
        if veto(sentence, told_by(enough)) is None:
            return enough
    return fewest


def most_telling(evidence: Sequence[Evidence]) -> Evidence:
    """The sentence that most likely tells what is asked, an address only where there is nothing else."""
    return max(evidence, key=lambda item: (not is_address(item), item.score))


def is_address(item: Evidence) -> bool:
    """Whether a sentence only says where something lies: what is asked for is seldom an address."""
    return _ADDRESS in item.text


def told_by(evidence: Sequence[Evidence]) -> str:
    """What a claim on one paper may rest on: its title and these sentences in their order, one a line."""
    if not evidence:
        return ""
    lines = [evidence[0].paper.title, *(item.text for item in sorted(evidence, key=lambda e: e.start))]
    return "\n".join(map(display, lines))
