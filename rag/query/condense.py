"""History + question -> a question that stands alone, and is shown to the person who asked.

By a reader trained to rewrite, where there is one (`rag.generate.rewrite`). The rules here are for where
there is none: a follow-up is recognised by what it leaves open, a pronoun or a missing clause, and gets the
names of the last question, or its words when it names nothing. What stands alone is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.query.intent import kind_of
from rag.query.sanitise import is_blank, normalise, without_orders
from rag.query.spelling import Spelling
from rag.text.marks import strip_marks
from rag.text.names import names_in
from rag.text.terms import STOPWORDS, focus_words, fold, words
from rag.types import AskedQuestion, Question, Turn

_AUX = r"(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would|should|must|isn't|doesn't|didn't)"
_OPENING = re.compile(r"^\W*(?:(?:and|but|so|also|then|ok(?:ay)?|what about|how about)\b[\s,]*)+", re.I)
_CLAUSE = re.compile(rf"\b{_AUX}\b", re.IGNORECASE)
# 'Is it possible to' asks of nothing; 'does it', 'how are they' of something said.
_IT = (
    r"it(?! (?:\w+ )?(?:possible|true|necessary|hard|easy|least|worth|safe|better|known|clear|make|argued"
    r"|explained|likely|important|enough|take|the)\b)"
)
_ASKED_OF = re.compile(rf"\b{_AUX} (?:{_IT}|they|this|that|these|those|he|she)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    rf"\b(?:{_IT}|its|they|them|theirs?|those|these|this|he|she)\b"
    r"|(?:^|\b(?:for|with|of|by|on|in|to|from|than|like|without|after|how|why)) that\b",
    re.IGNORECASE,
)
# What can only point back: 'for that?', 'training on those?', 'the larger ones', 'by that measure'.
_POINTER = re.compile(
    r"(?<!who did )(?<!is )\b(?:that|those|these|this|then|so|instead|otherwise|afterwards)\W*$"
    r"|(?<!is )(?<!are )\bthere\W*$"
    r"|\bones?\W*$|\b(?:the|which) (?:[\w-]+ ){0,3}?(?:ones?|variant|alternative|entry|former|latter)\b"
    r"|\bthe (?:rest|others?)\W*$"
    r"|\b(?:that|this|those|these) (?:papers?|authors?|method|model|approach|work|study|system|technique"
    r"|framework|dataset|data|benchmark|results?|measure|reasoning|baseline|two)\b(?=[^,]*$)",
    re.IGNORECASE,
)
_THE_WORK = re.compile(
    r"\bthe (?:same |other |proposed )?(?:papers?|authors?|methods?|models?|approach|work|study|system"
    r"|technique|framework|datasets?|data|benchmark|results?|algorithm|baselines?|llms?)\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"^\W*(?:compared|versus|vs|with|without|against|same|any better|any worse|e\.g|even|only)\b[^,]*$",
    re.IGNORECASE,
)
_GENERAL = re.compile(
    rf"^\W*(?:what|who) (?:is|are|was|were) (?!the\b)|\b{_AUX} there\b"
    r"|^\W*(?:how|what) (?:does|do|did) [^?]+ (?:work|do|mean)\W*$"
    r"|^\W*who (?!else\b)\w+(?: \w+){3}"
    rf"|^\W*{_AUX} (?:(?:large|small|deep) )?"
    r"(?:[lsv]?lms|transformers|language models|neural net(?:work)?s)\b"
    r"|^\W*(?:which|what|any) (?:[\w-]+ )?(?:paper|work|stud(?:y|ies)|survey|article)s?\b",
    re.IGNORECASE,
)
_WH = re.compile(r"^\W*(?:which|what|who|where|when|why|how)\b", re.IGNORECASE)
_SILENT = STOPWORDS | {"much", "many", "good", "happens"}
_MARKS = "\"'“”‘’.,;:?!()[]"
_MARKED = re.compile(r"[a-z][A-Z]|[A-Z]{2}|\d")
_SINGULAR = re.compile(r"\bit(?P<whose>s?)\b(?!')", re.IGNORECASE)
_POINTED_WORDS = 7  # a longer question may hold what its pronoun stands for
_TURNS, _TOPIC_NAMES, _TOPIC_WORDS = 6, 2, 8
_GENERIC = frozenset(
    "llm llms lm lms rl ai nlp moe qa sft rlhf cot gpu gpus transformer transformers gpt bert vlm vlms"
    " mllm mllms rag api english slm slms nmt asr kv ctr".split()
)


def is_followup(question: str) -> bool:
    """True when a question leans on what was said: a reference to it, or a fragment of a question."""
    if _OPENING.match(question):
        return True
    if points_back(question):
        return True
    name = _first_name(question)
    count, opened = len(focus_words(question)), _WH.match(question)
    if _GENERAL.search(question) or (name and _CLAUSE.search(question)):
        return False
    if _CLAUSE.search(question):
        return count <= (2 if opened else 3) or (_THE_WORK.search(question) is not None and count <= 4)
    return count <= (_POINTED_WORDS if _FRAGMENT.match(question) else 1 if name else 4 if opened else 3)


def _first_name(question: str) -> str:
    return next((name for name in names_in(question) if _tells(name)), "")


def points_back(question: str) -> bool:
    """Whether a word refers to something said earlier, rather than to a word before it."""
    name = _first_name(question)
    own = question[: question.index(name)] if name else question
    if len(focus_words(question)) <= _POINTED_WORDS and _POINTER.search(question):
        return True
    references = ((_ASKED_OF.search(own), 5), (_PRONOUN.search(own), 2))
    return any(found and len(focus_words(own[: found.start()])) < limit for found, limit in references)


def topic_of(asked: str, told: str, *, fragment: bool) -> str:
    """What the last question asked about and its answer told of: the names of the question, as written.

    When it names nothing, and for a `fragment` that lacks a clause of its own, its content words; then
    also the first marked name of the answer.
    """
    names = phrases(asked)
    if names and not fragment:
        return ", ".join(names[:_TOPIC_NAMES])
    tokens = [token.strip(_MARKS) for token in asked.split() if set(words(token)) - _SILENT]
    marked = [name for name in phrases(told) if _MARKED.search(name)] if not names else []
    return ", ".join(part for part in (" ".join(tokens[:_TOPIC_WORDS]), *marked[:1]) if part)


def phrases(text: str) -> list[str]:
    """Names with their neighbours joined ('Monarch Mixer', 'SemEval-2025 Task 11'), marked ones first."""
    names = set(names_in(text))
    found: list[list[str]] = [[]]
    for raw in text.split():
        core = re.sub(r"['’]s$", "", raw.strip(_MARKS))
        if core in names or (found[-1] and core.isdigit()):
            found[-1].append(core)
        else:
            found.append([])
        if raw != core:
            found.append([])
    joined = [" ".join(phrase) for phrase in found if phrase]
    return sorted(filter(_tells, dict.fromkeys(joined)), key=lambda name: _MARKED.search(name) is None)


def _tells(name: str) -> bool:
    """False for what many papers mention: 'LLMs', '7B', '3D'."""
    return not all(fold(w) in _GENERIC or re.fullmatch(r"\d[\d.]*[A-Za-z]?", w) for w in name.split())


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question as it would be asked without the conversation; unchanged when it needs nothing.

    >>> standalone("How many tokens did it use?", [Turn("user", "What does Retro-Li do?")])
    'How many tokens did Retro-Li use?'
    """
    places = [i for i, turn in enumerate(history) if turn.role == "user"][-_TURNS:]
    if is_blank(question) or not places or not is_followup(question):
        return question
    # The last question may itself lean on the one before.
    asked = standalone(history[places[-1]].content, history[places[0] : places[-1]])
    told = " ".join(strip_marks(turn.content) for turn in history[places[-1] + 1 :])
    rest = _OPENING.sub("", question).strip()
    bare = question if is_blank(rest) else rest[:1].upper() + rest[1:]
    topic = topic_of(asked, told, fragment=not _CLAUSE.search(bare))
    if not topic or fold(topic) in fold(bare):
        return question
    single, found = phrases(asked)[:1], _SINGULAR.search(bare)
    if single and found and not names_in(bare[: found.start()]):
        owner = single[0] + ("'s" if found["whose"] else "")
        return f"{bare[: found.start()]}{owner}{bare[found.end() :]}"
    return f"{bare.rstrip('?. ')} ({topic})" + ("?" if question.rstrip().endswith("?") else "")


@dataclass(frozen=True, slots=True)
class Condenser:
    """Questions as they are read. `chars_max`: what is longer is cut at a word.

    `rewrite`: a follow-up as it would be asked alone, by a model. Where there is none, or what it wrote is no
    good or leaves a word pointing back, the rules of this file decide.
    """

    spelling: Spelling
    chars_max: int
    rewrite: Callable[[str, Sequence[Turn]], str | None] | None = None

    def __call__(self, question: Question) -> AskedQuestion:
        """The question made printable and to stand alone, without orders, slips of the pen mended."""
        text = self._standalone(question)
        return AskedQuestion(question, text, kind_of(text))

    def _standalone(self, question: Question) -> str:
        asked = without_orders(normalise(question.text, chars_max=self.chars_max))
        if is_blank(asked):
            return asked
        told = [replace(t, content=normalise(t.content, chars_max=self.chars_max)) for t in question.history]
        rewritten = self.rewrite(asked, told) if told and self.rewrite is not None else None
        if rewritten is None or (rewritten == asked and points_back(asked)):
            rewritten = standalone(asked, told)
        return normalise(self.spelling.mended(rewritten), chars_max=self.chars_max)
