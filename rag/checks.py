"""Hard checks on one sentence against the evidence it cites: numbers, names, negation, direction.

Each returns what is wrong, or nothing. They veto; how far the evidence carries a sentence is the
verifier's score. Pure functions on cleaned text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.question import names_in
from rag.terms import STOPWORDS, fold, stem, terms, words

Unit = Literal["percent", "times", "plain"]

_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_SCALE |= {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "hundred": 1e2}
_WORDS = {
    word: float(value)
    for value, word in enumerate(
        "zero _ two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen twenty".split()
    )
    if word != "_"  # "one" is mostly a pronoun
}
_WORDS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80}
_WORDS |= {"ninety": 90}
_FIXED: dict[str, tuple[float, Unit]] = {
    "half": (0.5, "plain"),
    "twice": (2.0, "times"),
    "double": (2.0, "times"),
    "doubles": (2.0, "times"),
    "triple": (3.0, "times"),
    "thrice": (3.0, "times"),
}
_QUANTITY = re.compile(
    r"(?<![\w.])(?P<value>\d+(?:,\d{3})*(?:\.\d+)?|\.\d+|" + "|".join(_WORDS) + r")"
    r"(?:\s*-?\s*(?P<scale>thousand|million|billion|trillion|hundred)\b|(?P<suffix>[kmbt])(?![a-z]))?"
    r"\s*-?\s*(?P<unit>%|percent(?:age)?(?:\s+points?)?\b|points?\b|x\b|times\b|fold\b|×)?",
    re.IGNORECASE,
)
_NEGATION = frozenset(
    "not no never without cannot neither nor none unable fail fails failed lack lacks lacking hardly"
    " barely rarely nothing nobody".split()
)
_OPPOSITES = (
    ("increase", "decrease"), ("increase", "reduce"), ("higher", "lower"), ("more", "less"),
    ("more", "fewer"), ("better", "worse"), ("larger", "smaller"), ("faster", "slower"),
    ("outperform", "underperform"), ("improve", "degrade"), ("improve", "worsen"),
    ("above", "below"), ("before", "after"), ("gain", "loss"), ("strong", "weak"),
    ("positive", "negative"), ("longer", "shorter"), ("best", "worst"), ("most", "least"),
    ("raise", "lower"), ("rise", "fall"), ("always", "never"), ("supervised", "unsupervised"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: '1.3B' and '1.3 billion' are equal, '12%' and '12x' are not."""

    value: float
    unit: Unit


def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of a text, digits and number words; digits inside names (GPT-4) are left out."""
    plain = fold(text)
    found = []
    for match in _QUANTITY.finditer(plain):
        word = match["value"]
        value = _WORDS.get(word)
        if value is None:
            value = float(word.replace(",", ""))
        value *= _SCALE.get(match["scale"] or match["suffix"] or "", 1.0)
        found.append(Quantity(round(value, 9), _unit(match["unit"])))
    found.extend(Quantity(*_FIXED[word]) for word in words(text) if word in _FIXED)
    return tuple(found)


def _unit(mark: str | None) -> Unit:
    if mark is None:
        return "plain"
    if mark == "%" or mark.startswith("p"):
        return "percent"
    return "times"


def unsupported_numbers(sentence: str, evidence: str) -> tuple[str, ...]:
    """The numbers of the sentence that the evidence does not hold with the same value and unit.

    A number without a unit may stand for one with ('accuracy of 83.1' for '83.1%'); a percentage never
    for a factor.
    """
    known = quantities(evidence)
    missing = []
    for asked in quantities(sentence):
        same = [q for q in known if q.value == asked.value]
        if not any(q.unit == asked.unit or "plain" in {q.unit, asked.unit} for q in same):
            missing.append(f"{asked.value:g}" + {"percent": "%", "times": "x"}.get(asked.unit, ""))
    return tuple(missing)


def unsupported_names(sentence: str, evidence: str) -> tuple[str, ...]:
    """The names of the sentence that do not occur in the evidence (its title included by the caller)."""
    known = frozenset(terms(evidence)) | frozenset(words(evidence))
    squeezed = re.sub(r"[\W_]", "", fold(evidence))
    missing = []
    for name in names_in(sentence):
        parts = [part for part in words(name) if part not in STOPWORDS]
        held = all(part in known or stem(part) in known for part in parts)
        if not held and re.sub(r"[\W_]", "", fold(name)) not in squeezed:
            missing.append(name)
    return tuple(missing)


def _is_negation(word: str) -> bool:
    return word in _NEGATION or word.endswith("n't")


def negation_differs(sentence: str, evidence: str) -> bool:
    """True when the sentence denies what the evidence does not, or drops a denial it does make.

    A denial counts as dropped when the two content words after it in the evidence stand in a sentence
    without any negation.
    """
    said = words(sentence)
    told = words(evidence)
    if any(_is_negation(word) for word in said):
        return not any(_is_negation(word) for word in told)
    own = {stem(word) for word in said}
    for i, word in enumerate(told):
        if _is_negation(word):
            scope = [stem(w) for w in told[i + 1 :] if w not in STOPWORDS][:2]
            if scope and all(part in own for part in scope):
                return True
    return False


def direction_differs(sentence: str, evidence: str) -> bool:
    """True when the sentence says 'higher' where the evidence only says 'lower', and the like."""
    own = {stem(word) for word in words(sentence)}
    told = {stem(word) for word in words(evidence)}
    for first, second in _OPPOSITES:
        for said, opposite in ((stem(first), stem(second)), (stem(second), stem(first))):
            if said in own and said not in told and opposite in told:
                return True
    return False


def fault(sentence: str, evidence: str) -> str | None:
    """The first check the sentence fails against its evidence (title and sentences), or None."""
    if numbers := unsupported_numbers(sentence, evidence):
        return f"number not in the evidence: {', '.join(numbers)}"
    if names := unsupported_names(sentence, evidence):
        return f"name not in the evidence: {', '.join(names)}"
    if negation_differs(sentence, evidence):
        return "negation differs from the evidence"
    if direction_differs(sentence, evidence):
        return "direction differs from the evidence"
    return None
