"""Small changes that make a true sentence false, each as one pure function: None where it does not apply.

Numbers, units, names, negation and direction: what a small model gets wrong while every other word is right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from rag.text.names import names_in

_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-]*[A-Za-z])")
_UNITS = ("%", "x", " times", " points", " hours", " tokens", " parameters", " languages", "B", "M", "K")
_UNIT = re.compile(r"(?<=\d)(?:%|x\b| times\b| points\b| hours\b| tokens\b| parameters\b|B\b|M\b|K\b)")
_TURNS = (
    ("increases", "decreases"), ("increase", "decrease"), ("improves", "degrades"), ("improve", "degrade"),
    ("higher", "lower"), ("more", "less"), ("faster", "slower"), ("larger", "smaller"), ("better", "worse"),
    ("outperforms", "underperforms"), ("outperform", "underperform"), ("reduces", "increases"),
    ("reduce", "increase"), ("reducing", "increasing"), ("before", "after"), ("with", "without"),
    ("all", "none of the"), ("most", "few"), ("above", "below"), ("supervised", "unsupervised"),
    ("first", "last"), ("strong", "weak"), ("positive", "negative"), ("short", "long"), ("online", "offline"),
)  # fmt: skip
_VERB = re.compile(
    r"\b(is|are|was|were|can|does|do|has|have|achieves|improves|outperforms|reduces|requires|uses)\b"
)
_DENIED = re.compile(r"\b(is|are|was|were|can|does|do|has|have) not |\b(?:can)not |\bwithout ", re.IGNORECASE)
_PLAIN = {"achieves": "achieve", "improves": "improve", "outperforms": "outperform", "reduces": "reduce"}
_PLAIN |= {"requires": "require", "uses": "use"}

Change = Callable[[str, str, random.Random], "str | None"]


def other_number(sentence: str, evidence: str, rng: random.Random) -> str | None:
    """One number is another: one of the evidence, or a near one.

    >>> other_number("It gains 12 points.", "", random.Random(0))
    'It gains 15 points.'
    """
    found = list(_NUMBER.finditer(sentence))
    if not found:
        return None
    match = rng.choice(found)
    others = [n for n in _NUMBER.findall(evidence) if n != match.group()]
    value = rng.choice(others) if others and rng.random() < 0.5 else _near(match.group(), rng)
    return f"{sentence[: match.start()]}{value}{sentence[match.end() :]}"


def _near(number: str, rng: random.Random) -> str:
    value = float(number.replace(",", ""))
    changed = value * rng.choice([0.5, 0.8, 1.25, 1.5, 2.0, 3.0])
    if "." in number:
        return f"{changed:.{len(number.rpartition('.')[2])}f}" if changed != value else f"{value + 1}"
    whole = round(changed) if round(changed) != value else round(value) + 1
    return f"{whole:,}" if "," in number else str(whole)


def other_unit(sentence: str, evidence: str, rng: random.Random) -> str | None:
    """The number keeps its value and loses its unit: '12%' becomes '12x'."""
    found = list(_UNIT.finditer(sentence))
    if not found:
        return None
    match = rng.choice(found)
    unit = rng.choice([u for u in _UNITS if u != match.group()])
    return f"{sentence[: match.start()]}{unit}{sentence[match.end() :]}"


def other_name(sentence: str, evidence: str, rng: random.Random) -> str | None:
    """A name is another name of the evidence."""
    mine = [name for name in names_in(sentence) if not name[0].isdigit()]
    others = [n for n in names_in(evidence) if n not in sentence and not n[0].isdigit()]
    if not mine or not others:
        return None
    return sentence.replace(rng.choice(mine), rng.choice(others), 1)


def denied(sentence: str, evidence: str, rng: random.Random) -> str | None:
    """A negation is put in, or taken away.

    >>> denied("The model is robust.", "", random.Random(0))
    'The model is not robust.'
    """
    match = _DENIED.search(sentence)
    if match:
        kept = f"{match.group(1)} " if match.group(1) else "with " if "ithout" in match.group() else "can "
        return f"{sentence[: match.start()]}{kept}{sentence[match.end() :]}"
    match = _VERB.search(sentence)
    if not match:
        return None
    verb = match.group()
    new = f"does not {_PLAIN[verb]}" if verb in _PLAIN else f"{verb} not"
    return f"{sentence[: match.start()]}{new}{sentence[match.end() :]}"


def turned(sentence: str, evidence: str, rng: random.Random) -> str | None:
    """'Higher' becomes 'lower'."""
    pairs = [pair for one, other in _TURNS for pair in ((one, other), (other, one))]
    there = [(one, other) for one, other in pairs if re.search(rf"\b{one}\b", sentence)]
    if not there:
        return None
    one, other = rng.choice(there)
    return re.sub(rf"\b{one}\b", other, sentence, count=1)


CHANGES: Sequence[Change] = (other_number, other_unit, other_name, denied, turned)


def compressed(sentence: str, rng: random.Random) -> str | None:
    """A true sentence made shorter: asides, openings and trailing clauses left out."""
    text = re.sub(r"\s*\([^()]*\)", "", sentence)
    text = re.sub(r"^(?:In this (?:paper|work),|Specifically,|Moreover,|Furthermore,|However,)\s*", "", text)
    head, comma, _ = text.rpartition(", ")
    if comma and len(head.split()) > 8 and rng.random() < 0.6:
        text = f"{head}."
    text = re.sub(r"^[Ww]e ", "The authors ", text)
    text = re.sub(r"\b[Oo]ur (?=\w)", "the ", text)
    return text if text != sentence and len(text.split()) > 4 else None
