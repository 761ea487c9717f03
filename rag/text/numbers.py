"""The numbers in a text, read with their units, and compared with those of the evidence.

Pure functions on cleaned text; knows nothing of papers or models.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.text.terms import words

_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_SCALE |= {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "hundred": 1e2}
_TEENS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SPELLED = {word: float(value) for value, word in enumerate(_TEENS)}
_SPELLED |= {word: 10.0 * value for value, word in enumerate(_TENS, start=2)}
_FIXED = {"half": (0.5, "plain"), "halves": (0.5, "plain"), "halved": (0.5, "plain")}
_FIXED |= {word: (2.0, "times") for word in ("twice", "double", "doubles", "doubled", "doubling")}
_FIXED |= {word: (3.0, "times") for word in ("thrice", "triple", "triples", "tripled", "tripling")}
# What evidence may say in place of a number; a sentence that says so claims none ("one" is a pronoun).
_IMPLIED = {"one": 1.0, "single": 1.0, "both": 2.0, "pair": 2.0, "pairs": 2.0, "dual": 2.0}
_IMPLIED |= {
    word: float(value)
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1
    )
}
_MEASURES = {
    "second": "s secs? seconds?", "millisecond": "ms milliseconds?", "minute": "mins? minutes?",
    "hour": "h hrs? hours?", "day": "days?", "week": "weeks?", "month": "months?",
    "year": "years?", "kilobyte": "kb kilobytes?", "megabyte": "mb megabytes?",
    "gigabyte": "gb gigabytes?", "terabyte": "tb terabytes?", "bit": "bits?",
}  # fmt: skip
_UNIT_FORMS = [("percent", r"%|percent(?:age)?(?:[\s-]points?)?|per\scent|pp|points?")]
_UNIT_FORMS += [("times", r"(?<=\d)[x×](?!\d)|[x×](?!\s?\d)|times|-?fold")]
_UNIT_FORMS += [(unit, forms.replace(" ", "|")) for unit, forms in _MEASURES.items()]
_UNIT = re.compile(
    r"[\s-]{0,2}(?:" + "|".join(f"(?P<{u}>{form})" for u, form in _UNIT_FORMS) + r")(?!\w)", re.I
)
_SPELLED_NUMBER = (
    rf"(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_TEENS[1:10])})\b"
    rf"|(?:an?|one)(?=\s(?:hundred|thousand|million|billion|trillion)\b)"
    rf"|(?:{'|'.join(word for word in _SPELLED if word != 'one')})(?=fold|\b)(?![\s-]shot)"
)
_NUMBER = re.compile(
    r"(?:(?<![\w.])|(?<=\d[x×]))"
    r"(?:(?P<prefix>[^\W\d_][\w.]{0,40}(?:-[\w.]{1,40}){0,5}-)?(?P<factor>(?<!\d\s)[x×]\s?)?"
    r"(?P<digits>\d+(?:,\d{3})+(?:\.\d+)?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE]-?\d+)?)"
    rf"|(?P<spelled>(?i:{_SPELLED_NUMBER})))(?P<tail>[^\W\d_]*)"
    r"(?:[\s-](?P<scale>(?i:hundred|thousand|million|billion|trillion))\b)?"
)
_GLUED = re.compile(r"(?<=[a-z]{2})(?=\d+(?:\.\d+)?\s?%)")
_ORDINAL = frozenset({"st", "nd", "rd", "th"})
_RANGE = re.compile(r"\s?(?:-|–|—|\bto\b)\s?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: '1.3B' and '1.3 billion' are equal, '12%' and '12x' are not.

    Units are 'percent', 'times', 'plain' and measures of time and storage ('second', 'gigabyte').
    """

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Place:
    """A quantity in a text; `named` when it is part of a name ('Llama-2-7B'), `scaled` when '7B'."""

    quantity: Quantity
    start: int
    end: int
    named: bool = False
    scaled: bool = False


def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of a text, digits and number words; digits inside names (GPT-4) are left out."""
    stated = [place.quantity for place in places(plain_text(text)) if not place.named]
    fixed = [Quantity(*_FIXED[word]) for word in words(text) if word in _FIXED]
    return tuple(stated + fixed)


def same(first: Quantity, second: Quantity) -> bool:
    """Whether one number may stand for the other: equal, with units that do not disagree."""
    return first.value == second.value and _comparable(first, second)


def _comparable(first: Quantity, second: Quantity) -> bool:
    return first.unit == second.unit or "plain" in {first.unit, second.unit}


def plain_text(text: str) -> str:
    """The text as `places` reads it: NFKC, and 'by49.5%' taken apart."""
    return _GLUED.sub(" ", unicodedata.normalize("NFKC", text))


def implied(evidence: str) -> list[Quantity]:
    """Numbers that evidence holds without stating them: 'both', 'third', the 7B of a model's name."""
    found = [Quantity(_IMPLIED[word], "plain") for word in words(evidence) if word in _IMPLIED]
    for place in places(plain_text(evidence)):
        value = place.quantity.value
        if place.named and (place.scaled or 1900 <= value < 2100):
            found.append(place.quantity)
    return found


def places(plain: str) -> list[Place]:
    """The quantities of a text in order; the first of a range takes the unit of the second."""
    found: list[Place] = []
    for match in _NUMBER.finditer(plain):
        place = _place(match, plain)
        if place is not None:
            found.append(place)
    for i, (first, second) in enumerate(pairwise(found)):
        if _RANGE.fullmatch(plain[first.end : second.start]) and first.quantity.unit == "plain":
            found[i] = replace(first, quantity=Quantity(first.quantity.value, second.quantity.unit))
    return found


def _place(match: re.Match[str], plain: str) -> Place | None:
    """One quantity; None for what only looks like one: the 3 of '3D'."""
    value, tail, end = _value(match), match["tail"].casefold(), match.end()
    scale = _SCALE.get(tail if len(tail) == 1 else (match["scale"] or "").casefold())
    is_word = tail in _ORDINAL or (tail == "s" and value >= 1000) or bool(scale) or not tail
    unit = _UNIT.match(plain, end if is_word else match.start("tail"))
    if not is_word and unit is None and plain[match.start("tail") : end + 1].strip("0123456789") != "x":
        return None
    name = "times" if match["factor"] else str(unit.lastgroup) if unit else "plain"
    prefix = match["prefix"] or ""
    named = any(c.isupper() or c.isdigit() for c in prefix)
    return Place(
        Quantity(round(value * (scale or 1.0), 9), name),
        match.start(),
        unit.end() if unit else end,
        named,
        scale is not None,
    )


def _value(match: re.Match[str]) -> float:
    """The number as written, before its scale."""
    if match["digits"]:
        return float(match["digits"].replace(",", ""))
    spelled = match["spelled"].casefold()
    if spelled in {"a", "an", "one"}:
        return 1.0
    return sum(_SPELLED[part] for part in re.split(r"[\s-]", spelled))
