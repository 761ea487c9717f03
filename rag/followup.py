"""History + question -> a question that stands alone, and is shown to the person who asked.

No model: a follow-up is recognised by its pronouns or its missing subject, and the subject is taken from
what was said before: the names of the last question, else of the last answer, else the question itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.citations import strip_marks
from rag.question import focus_words, names_in
from rag.terms import fold
from rag.types import Turn

_OPENING = re.compile(r"^\s*(?:and|but|so|also|then|ok(?:ay)?|what about|how about)\b[\s,]*", re.I)
_REFERENCE = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|she|those|these|there|this|that|such|one|ones"
    r"|the (?:same )?(?:paper|authors?|method|model|approach|work|study|system|technique|framework"
    r"|dataset|benchmark|results?|former|latter|algorithm))\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"\b(?:it|they|them|this (?:method|model|approach|paper|work)|this|that)\b", re.I)
_DETERMINED = re.compile(
    r"\b(?:this|that|these|those) (?=[a-z])|\bthat\b(?= (?:the|a|an|is|are|was|were|can|we|they)\b)",
    re.IGNORECASE,
)
_FEW_WORDS = 4
_TOPIC_NAMES = 3
# Names that say nothing about which paper is meant.
_GENERIC = frozenset(
    "llm llms lm lms rl ai nlp moe qa sft rlhf cot gpu gpus transformer transformers gpt bert vlm vlms"
    " mllm mllms rag api english".split()
)


def is_followup(question: str) -> bool:
    """True when a question leans on what was said: a reference without a name of its own, or a fragment."""
    if _OPENING.match(question):
        return True
    if names_in(question) and len(focus_words(question)) > _FEW_WORDS:
        return bool(re.search(r"\b(?:it|its|they|their|them)\b", question, re.I))
    return bool(_REFERENCE.search(question)) or len(focus_words(question)) < _FEW_WORDS


def topic_of(history: Sequence[Turn]) -> str:
    """What the conversation is about: names of the last questions and answers, newest first.

    Falls back to the last question's own words when nothing was named.
    """
    asked = [turn.content for turn in reversed(history) if turn.role == "user"]
    told = [strip_marks(turn.content) for turn in reversed(history) if turn.role == "assistant"]
    for text in (*asked[:1], *told[:1], *asked[1:]):
        names = _phrases(text)
        if names:
            return ", ".join(names[:_TOPIC_NAMES])
    return " ".join(focus_words(asked[0])) if asked else ""


def _phrases(text: str) -> list[str]:
    """Names with their neighbours joined: 'Monarch Mixer' is one, not two; question words left out."""
    names = {n for n in names_in(text) if fold(n) not in _GENERIC and not n[0].isdigit()}
    phrases: list[list[str]] = [[]]
    for raw in text.split():
        token = raw.strip("\"'“”‘’.,;:?!()[]")
        core = re.sub(r"['’]s$", "", token)
        if core in names:
            phrases[-1].append(core)
        else:
            phrases.append([])
        if raw != token and phrases[-1]:
            phrases.append([])
    return list(dict.fromkeys(" ".join(phrase) for phrase in phrases if phrase))


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question as it would be asked without the conversation; unchanged when it needs nothing.

    >>> standalone("How many tokens did it use?", [Turn("user", "What does Retro-Li do?")])
    'How many tokens did Retro-Li use?'
    """
    if not history or not is_followup(question):
        return question
    topic = topic_of(history)
    if not topic:
        return question
    bare = _OPENING.sub("", question).strip() or question
    bare = bare[:1].upper() + bare[1:]
    masked = _DETERMINED.sub(lambda m: m.group().replace("t", "\0").replace("T", "\1"), bare)
    if _SUBJECT.search(masked):
        replaced = _SUBJECT.sub(lambda _: topic, masked, count=1)
        return _unmask(re.sub(r"\b(?:its|their)\b", f"{topic}'s", replaced, count=1, flags=re.I))
    if re.search(r"\b(?:its|their)\b", bare, re.I):
        return re.sub(r"\b(?:its|their)\b", f"{topic}'s", bare, count=1, flags=re.I)
    return f"{bare.rstrip('?. ')} ({topic})" + ("?" if question.rstrip().endswith("?") else "")


def _unmask(text: str) -> str:
    return text.replace("\0", "t").replace("\1", "T")
