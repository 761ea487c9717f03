"""Directions: 'higher' where the evidence says 'lower', and the like."""

from __future__ import annotations

import re

from rag.text.terms import stem, words

_OPPOSITES = (
    ("increase", "decrease"), ("increase", "reduce"), ("higher", "lower"), ("more", "less"),
    ("more", "fewer"), ("better", "worse"), ("larger", "smaller"), ("faster", "slower"),
    ("outperform", "underperform"), ("improve", "degrade"), ("improve", "worsen"),
    ("above", "below"), ("before", "after"), ("gain", "loss"), ("strong", "weak"),
    ("positive", "negative"), ("longer", "shorter"), ("best", "worst"), ("most", "least"),
    ("raise", "lower"), ("rise", "fall"), ("always", "never"), ("long", "short"), ("high", "low"),
    ("cheap", "expensive"), ("easy", "hard"), ("easy", "difficult"), ("simple", "complex"),
    ("same", "different"), ("same", "opposite"), ("minimize", "maximize"), ("narrow", "wide"),
    ("minimum", "maximum"), ("fast", "slow"), ("accelerate", "slow"), ("succeed", "fail"),
    ("independent", "correlated"), ("static", "dynamic"), ("global", "local"), ("easier", "harder"),
    ("discrete", "continuous"), ("online", "offline"), ("similar", "different"), ("win", "lose"),
    ("encourage", "discourage"), ("underestimate", "overestimate"), ("homogeneous", "heterogeneous"),
    ("early", "late"), ("earlier", "later"), ("left", "right"), ("internal", "external"),
    ("sequential", "parallel"), ("upper", "lower"), ("preserve", "lose"), ("fine", "coarse"),
    ("explicit", "implicit"), ("open", "closed"), ("shallow", "deep"), ("sparse", "dense"),
    ("inside", "outside"), ("within", "outside"), ("within", "beyond"), ("include", "exclude"),
    ("input", "output"), ("encoder", "decoder"), ("forward", "backward"), ("first", "last"),
    ("top", "bottom"), ("public", "private"), ("true", "false"), ("teacher", "student"), ("acute", "chronic"),
    ("benign", "malignant"), ("horizontal", "vertical"), ("male", "female"),
)  # fmt: skip
_OPPOSING_PREFIX = re.compile(r"^(?:un|in|im|ir|dis|non|sub|a)(?=[a-z]{4})")
# The same word for the purpose of direction.
_VARIANT = {"lesser": "less", "reduction": "reduce", "maximal": "maximum", "minimal": "minimum"}


def direction_differs(sentence: str, evidence: str) -> bool:
    """True when the sentence says 'higher' where the evidence only says 'lower', and the like."""
    said, told = _directed(sentence), _directed(evidence)
    added, left = said - told, told - said
    for first, second in _OPPOSITES:
        for one, other in ((stem(first), stem(second)), (stem(second), stem(first))):
            if one in added and other in told and other not in said:
                return True
    return any(_OPPOSING_PREFIX.sub("", word) in left for word in added) or any(
        _OPPOSING_PREFIX.sub("", word) in added for word in left
    )


def _directed(text: str) -> frozenset[str]:
    return frozenset(stem(_VARIANT.get(word, word)) for word in words(text))
