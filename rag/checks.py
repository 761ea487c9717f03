"""Hard checks on one sentence against the evidence it cites: numbers, names, negation, direction.

Each returns what is wrong, or nothing. They veto; how far the evidence carries a sentence is the
verifier's score. Pure functions on cleaned text; numbers are read in `rag.figures`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.exchanged import exchanged_numbers
from rag.figures import Quantity, quantities, unsupported_numbers
from rag.question import names_in
from rag.terms import STOPWORDS, fold, stem, term_set, words

__all__ = [
    "Quantity", "direction_differs", "exchanged_numbers", "fault", "negation_differs",
    "quantities", "unsupported_names", "unsupported_numbers",
]  # fmt: skip

_NEGATION = frozenset(
    "not no never without cannot neither nor none unable fail fails failed lack lacks lacking hardly"
    " barely rarely nothing nobody".split()
)
_PRIVATION = frozenset("without no none neither nor lack lacks lacking hardly".split())
# Evidence may deny in other words than the sentence does.
_DENIAL = _NEGATION | frozenset(
    "missing absent absence eliminate eliminates eliminating eliminated avoid avoids avoiding prevent"
    " prevents ineffective insufficient inaccessible unavailable impossible struggle struggles free"
    " remove removes removing unlike instead rather difficult failing failure failures scarce".split()
)
_NOT_ONLY = re.compile(r"\bnot (?:only|just|merely|solely|necessarily)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:!?()\n]+(?=\s|$)|\n|[()]|\s[-–—]+\s|—")
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
_SUBJECT = re.compile(r"[\"'“]?([A-Z][a-z]{2,})\s+(?:is|was|has|can|could|does|did|[a-z]+(?:s|ed))\b")
_EVERYDAY = re.compile(r"(?:ing|ed|ly|s|ion|ment|er|al|ive|ity|ance|ence)$")
# The same word for the purpose of direction.
_VARIANT = {"lesser": "less", "reduction": "reduce", "maximal": "maximum", "minimal": "minimum"}


def unsupported_names(sentence: str, evidence: str) -> tuple[str, ...]:
    """The names of the sentence that do not occur in the evidence (its title included by the caller).

    An acronym is held by the words it stands for, and a capitalised word by the acronym it is part of.
    """
    known = term_set(evidence) | frozenset(words(evidence))
    squeezed = _squeezed(evidence)
    initials = " ".join(_initials(evidence))
    long_forms = _long_forms(sentence, evidence)
    missing = list(_invented_subject(sentence, known))
    for name in names_in(sentence):
        if name[0].isdigit() and quantities(name):  # '9.1x' and '1.3B' are numbers
            continue
        parts = [part for part in words(name) if part not in STOPWORDS]
        if all(part in known or stem(part) in known for part in parts) or name in long_forms:
            continue
        if not _held(name, squeezed, initials):
            missing.append(name)
    return tuple(missing)


def _invented_subject(sentence: str, known: frozenset[str]) -> Iterator[str]:
    """A capital at the start says nothing, but 'Zorblax reaches' does: an unknown word, then a verb.

    Words with an everyday ending (Training, Recently, Authors) are let through.
    """
    subject = _SUBJECT.match(sentence)
    if subject:
        word = subject[1].casefold()
        ordinary = word in STOPWORDS or _EVERYDAY.search(word)
        if not ordinary and word not in known and stem(word) not in known:
            yield subject[1]


def _held(name: str, squeezed: str, initials: str) -> bool:
    """Whether the evidence has the name in another spelling: 'GPT4', 'LLM' for 'LLMs', spelled out."""
    for form in (name, re.sub(r"(?<=[A-Z])s$|['’]s$", "", name)):
        if _squeezed(form) in squeezed:
            return True
        if form.isupper() and len(form) > 1 and form.isalpha() and form.casefold() in initials:
            return True
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text))


def _initials(text: str) -> Iterator[str]:
    """The first letters of the words of each clause: 'Large language models' -> 'llm'."""
    for clause in re.split(r"[.,;:!?()\n]", fold(text)):
        yield "".join(word[0] for word in re.findall(r"[a-z]+", clause))


def _long_forms(sentence: str, evidence: str) -> frozenset[str]:
    """Capitalised words of the sentence whose initials are an acronym of the evidence."""
    acronyms = set(re.findall(r"\b[A-Z]{2,6}\b", evidence))
    found: set[str] = set()
    for run in re.findall(r"\b[A-Z][a-z]+(?:[\s-][A-Z][a-z]+)+", sentence):
        parts = re.split(r"[\s-]", run)
        if "".join(part[0] for part in parts) in acronyms:
            found |= {run, *parts, "-".join(parts)}
    return frozenset(found)


def _denies(word: str, denials: frozenset[str]) -> bool:
    return word in denials or word.endswith("n't")


def negation_differs(sentence: str, evidence: str) -> bool:
    """True when the sentence denies what the evidence does not, or drops a denial it does make.

    A denial counts as dropped when what it denies, in one clause of the evidence, stands in a sentence
    without any negation.
    """
    said = words(_NOT_ONLY.sub(" ", sentence))
    plain = _NOT_ONLY.sub(" ", evidence)
    if any(_denies(word, _NEGATION) for word in said):
        undenied = not any(_denies(word, _DENIAL) for word in words(plain))
        return undenied or _denies_what_is_told(_NOT_ONLY.sub(" ", sentence), plain)
    own = {stem(word) for word in said}
    return not any(word in _DENIAL for word in said) and any(
        all(part in own for part in scope)
        for clause in _CLAUSE.split(plain)
        for scope in _denied(words(clause))
    )


def _denies_what_is_told(sentence: str, evidence: str) -> bool:
    """True when what a clause of the sentence denies stands undenied in the evidence."""
    clauses = [words(clause) for clause in _CLAUSE.split(evidence)]
    for clause in _CLAUSE.split(sentence):
        for scope in _denied(words(clause)):
            telling = [told for told in clauses if set(scope) <= {stem(word) for word in told}]
            if telling and not any(_denies(word, _DENIAL) for told in telling for word in told):
                return True
    return False


def _denied(clause: list[str]) -> Iterator[list[str]]:
    """For each denial of a clause, stems of what it denies: two content words after it.

    'Without', 'no' and 'lack' mostly tell what others miss, so there, and where only one word follows,
    the content word before is part of it: who goes without.
    """
    for i, word in enumerate(clause):
        if _denies(word, _NEGATION):
            before = [stem(w) for w in clause[:i] if w not in STOPWORDS][-1:]
            after = [stem(w) for w in clause[i + 1 :] if w not in STOPWORDS][:2]
            scope = after + before if word in _PRIVATION or len(after) < 2 else after
            if after and len(scope) > 1:
                yield scope


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
    if numbers := exchanged_numbers(sentence, evidence):
        return f"number stands elsewhere in the evidence: {', '.join(numbers)}"
    return None
