"""Judges of support for measuring, and how far they agree with hand labels.

The judge is not the run-time verifier: `rag.verify.support` weighs bags of words and embeddings and fits
weights; `RougeLStrict` has no weights and no model, reads order, and says no when in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from eval.metrics.alignment import Reader, Token, longest_common, rouge_l_recall, same

_CLAUSE = re.compile(r";|,?\s\b(?:while|whereas)\b")
_NOT_ONLY = re.compile(r"\bnot (?:only|just|merely)\b", re.IGNORECASE)
_NEGATORS = frozenset("not no never without cannot neither nor none nothing fail lack rare hardli".split())
_ABSOLUTE = frozenset(
    "all alwai everi never complet fulli entir guarante perfect solv elimin best first".split()
)
_HINGES = frozenset("outperform surpass exceed beat better wors than".split())
_OPPOSITES = (
    ("increas", "decreas"), ("increas", "reduc"), ("increas", "reduct"), ("increas", "drop"),
    ("improv", "worsen"), ("improv", "degrad"), ("more", "less"), ("more", "fewer"), ("higher", "lower"),
    ("high", "low"), ("larg", "small"), ("better", "wors"), ("best", "worst"), ("faster", "slower"),
    ("easier", "harder"), ("simpler", "harder"), ("former", "latter"), ("befor", "after"),
    ("onlin", "offlin"),
    ("strong", "weak"), ("rare", "typic"), ("rare", "often"), ("most", "least"), ("win", "lose"),
)  # fmt: skip
_DENYING_PREFIX = re.compile(r"^(?:un|in|im|ir|dis|non)-?(?=[a-z]{4})")
_WINDOW = 4


class Judge(Protocol):
    """Says whether a premise supports a claim. `name` goes into every report."""

    name: str

    def supports(self, claim: str, premise: str) -> bool:
        """True when whoever accepts the premise has to accept the claim."""
        ...


class RougeLStrict:
    """`rouge-l-strict`: the claim's words in the premise's order, and no number, name or turn of its own.

    Supported when ROUGE-Lsum recall of the content words reaches `recall_min`, and in the line (or the
    title) that carries a clause of the claim: every number stands with its unit beside the same words on
    the same side, every name stands, the parity of negations over the matched stretch is equal, and no
    absolute ('all', 'always'), opposite ('higher' for 'lower'), word of another clause, or exchange of sides
    around 'outperforms' is new. `recall_min` was chosen on the dev half of `eval/judge_labels.jsonl`.

    The premise is one paper's title and quotes a line each, or several papers' such blocks in a row.
    Limits: it has no notion of meaning. Free paraphrases and inferences over two sentences are refused; roles
    exchanged between words that are neither numbers nor compared names, 'respectively', and negations
    dropped outside the matched stretch are let through. It reads text as the verifier does, word by word,
    so where both are fooled by the same words their errors go together: hold it against hand labels.
    """

    name = "rouge-l-strict"

    def __init__(self, recall_min: float = 0.7) -> None:
        self.recall_min = recall_min
        self._reader = Reader()

    def supports(self, claim: str, premise: str) -> bool:
        """See `Judge.supports`. False for an empty premise; true for a claim without content words."""
        return self.objection(claim, premise) is None

    def objection(self, claim: str, premise: str) -> str | None:
        """The first reason to say no, or None."""
        lines = [self._tokens(line) for line in premise.split("\n") if line.strip()]
        if not lines:
            return "no premise"
        said = [token for token in self._tokens(claim) if token.is_content]
        if rouge_l_recall(said, lines) < self.recall_min:
            return "too few of its words in this order"
        everything = [token for line in lines for token in line]
        parts = [self._tokens(part) for line in premise.split("\n") for part in _CLAUSE.split(line)]
        for clause in _CLAUSE.split(_NOT_ONLY.sub(" ", claim)):
            tokens = self._tokens(clause)
            held = [_Held(tokens, line, everything, lines[0]) for line in _closest(tokens, parts)]
            reasons = [_objection(item) for item in held]
            if all(reasons):
                return reasons[0]
        return None

    def _tokens(self, text: str) -> list[Token]:
        return self._reader.tokens(_NOT_ONLY.sub(" ", text))


def _closest(claim: list[Token], lines: list[list[Token]]) -> list[list[Token]]:
    """The lines that share most content words, in order, with the clause."""
    said = [token for token in claim if token.is_content]
    shared = [len(longest_common(said, line)) for line in lines]
    return [line for line, count in zip(lines, shared, strict=True) if count == max(shared)]


@dataclass(frozen=True, slots=True)
class _Held:
    """A clause of the claim held against one line: all premise lines and the title stand beside it."""

    claim: list[Token]
    line: list[Token]
    everything: list[Token]
    title: list[Token]


def _objection(held: _Held) -> str | None:
    """Why the line, with the title, does not carry the clause, or None."""
    checks = (_missing, _absolute, _turned, _prefixed, _stray, _misplaced, _negated)
    return next((reason for check in checks if (reason := check(held))), None)


def _missing(held: _Held) -> str | None:
    """A number or a name that neither the line nor the title has."""
    for token in held.claim:
        bound = token.is_number or token.is_name
        if bound and not any(same(token, other) for other in [*held.line, *held.title]):
            return f"{'number' if token.is_number else 'name'}: {token.text}"
    return None


def _absolute(held: _Held) -> str | None:
    added = (_stems(held.claim) & _ABSOLUTE) - _stems(held.line) - _stems(held.title)
    return f"absolute: {', '.join(sorted(added))}" if added else None


def _turned(held: _Held) -> str | None:
    """A word of the claim in whose place, or beside whose neighbour, the line has only its opposite."""
    said, told = _stems(held.claim), _stems(held.line)
    for one, other in _either_way(_OPPOSITES):
        if one not in said:
            continue
        beside = _followers(held.claim, one)
        there, kept = beside & _followers(held.line, other), beside & _followers(held.line, one)
        if (one not in told and other in told) or (there and not kept):
            return f"opposite: {one}"
    return None


def _either_way(pairs: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    for first, second in pairs:
        yield first, second
        yield second, first


def _prefixed(held: _Held) -> str | None:
    """'unimportant' for 'important', or the other way round."""
    said, told, known = _stems(held.claim), _stems(held.line), _stems(held.everything)
    for stem in sorted(said ^ told):
        bare = _DENYING_PREFIX.sub("", stem)
        added, dropped = stem in said - known and bare in told, stem in told - said and bare in said
        if bare != stem and (added or dropped):
            return f"opposite: {stem}"
    return None


def _stray(held: _Held) -> str | None:
    """Words that only another clause of the premise has: two statements mixed into one."""
    elsewhere = _stems(held.everything) - _stems(held.line) - _stems(held.title)
    found = [
        t.text
        for t in held.claim
        if t.is_content and not t.is_name and not _denies(t) and t.stem in elsewhere
    ]
    return f"from another clause: {', '.join(found)}" if found else None


def _negated(held: _Held) -> str | None:
    told = _stretch(held.claim, held.line)
    return "negation" if _negations(held.claim) % 2 != _negations(told) % 2 else None


def _stems(tokens: list[Token]) -> set[str]:
    return {token.stem for token in tokens}


def _followers(tokens: list[Token], stem: str) -> set[str]:
    """The content word next after each place of `stem`."""
    places = [at for at, token in enumerate(tokens) if token.stem == stem]
    after = ([t.stem for t in tokens[at + 1 :] if t.is_content][:1] for at in places)
    return {word for found in after for word in found}


def _misplaced(held: _Held) -> str | None:
    """A number or comparison of the claim that stands beside other words in the line: exchanged values.

    Some place of the line has to share a word with the claim on the same side; a comparison also must not
    have its nearest word from the other side.
    """
    for at, token in enumerate(held.claim):
        hinge = token.stem in _HINGES
        if not token.is_number and not hinge:
            continue
        places = [i for i, other in enumerate(held.line) if same(token, other)]
        mine = _sides(held.claim, at)
        if places and any(mine) and not any(_agree(mine, _sides(held.line, i), strict=hinge) for i in places):
            return f"beside other words: {token.text}"
    return None


def _sides(tokens: list[Token], at: int) -> tuple[list[str], list[str]]:
    """Stems of the nearest content words left and right, nearest first, numbers left out."""
    left = [t.stem for t in reversed(tokens[:at]) if t.is_content and not t.is_number][:_WINDOW]
    right = [t.stem for t in tokens[at + 1 :] if t.is_content and not t.is_number][:_WINDOW]
    return left, right


def _agree(mine: tuple[list[str], list[str]], told: tuple[list[str], list[str]], *, strict: bool) -> bool:
    if strict:
        for side in (0, 1):
            nearest = set(mine[side][:1]) - set(mine[1 - side])
            if nearest & set(told[1 - side]) and not nearest & set(told[side]):
                return False
        return True
    return any(set(mine[side]) & set(told[side]) for side in (0, 1))


def _stretch(claim: list[Token], line: list[Token]) -> list[Token]:
    """The line from the first to the last content word that the claim shares with it in order.

    The function words and denials right before the first belong to it: 'does not need labels'.
    """
    pairs = [(i, j) for i, j in longest_common(claim, line) if claim[i].is_content and not _denies(claim[i])]
    if not pairs:
        return []
    first = pairs[0][1]
    while first > 0 and (_denies(line[first - 1]) or not line[first - 1].is_content):
        first -= 1
    return line[first : pairs[-1][1] + 1]


def _denies(token: Token) -> bool:
    return token.stem in _NEGATORS or token.text.casefold().endswith(("n't", "n’t"))


def _negations(tokens: list[Token]) -> int:
    """Denials, where one that 'and', 'or' or 'nor' joins to another ('no x and no y') counts once."""
    count = 0
    for at, token in enumerate(tokens):
        joined = token.stem == "nor" or (at > 0 and tokens[at - 1].stem in {"and", "or"})
        count += _denies(token) and not joined
    return count
