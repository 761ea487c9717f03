"""Numbers that a sentence has and its evidence has not, with their units."""

from __future__ import annotations

from rag.text.numbers import implied, quantities, same


def unsupported_numbers(sentence: str, evidence: str) -> tuple[str, ...]:
    """The numbers of the sentence that the evidence does not hold with the same value and unit.

    A number without a unit may stand for one with ('accuracy of 83.1' for '83.1%'); a percentage never
    for a factor. Sizes and years inside names of the evidence count: '7B' is carried by 'Llama-2-7B'.
    """
    known = [*quantities(evidence), *implied(evidence)]
    missing = []
    for asked in quantities(sentence):
        if not any(same(asked, held) for held in known):
            unit = {"percent": "%", "times": "x", "plain": ""}.get(asked.unit, f" {asked.unit}")
            missing.append(f"{asked.value:g}{unit}")
    return tuple(missing)
