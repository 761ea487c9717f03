"""Which of the papers that were drafted from answer: by what the reader says of what stood of each. Pure.

More papers are drafted from than will be shown: whether one answers is seen best from what it is made to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.types import Draft, DroppedSentence, PreparedQuestion
from rag.verify.grounding import Grounded

_BEHIND = 1.0  # nats: how far behind the surest paper a doubted one is
_REASON = "the reader doubts that this paper answers"


def doubted(checked: Sequence[Grounded]) -> list[bool]:
    """Of each draft whether its paper is left out: the reader doubts it and holds another for surer.

    Where nobody judged, none is.
    """
    best = max((one.right for one in checked if one.right is not None), default=0.0)
    bar = min(0.0, best - _BEHIND)
    return [one.right is not None and one.right < bar for one in checked]


def answering(
    prepared: PreparedQuestion, drafts: Sequence[Draft], checked: Sequence[Grounded]
) -> tuple[PreparedQuestion, list[Grounded]]:
    """The question with the evidence of the papers that answer, and what stood of them.

    What stood of the others is dropped, with its reason.
    """
    left_out = doubted(checked)
    gone = {draft.evidence[0].key for draft, out in zip(drafts, left_out, strict=True) if out}
    if not gone:
        return prepared, list(checked)
    evidence = tuple(item for item in prepared.evidence if item.key not in gone)
    several = len({item.key for item in evidence}) > 1
    narrowed = replace(prepared, evidence=evidence, kind=prepared.kind if several else "fact")
    found = zip(checked, left_out, strict=True)
    return narrowed, [_dropped(one) if out else one for one, out in found]


def _dropped(one: Grounded) -> Grounded:
    """Nothing stands of it."""
    fallen = (DroppedSentence(sentence.text, _REASON, sentence.support) for sentence in one.kept)
    return Grounded((), (*one.dropped, *fallen))
