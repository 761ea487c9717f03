"""A follow-up as it would be asked alone, written by the reader; it is shown, and can be edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.models import openings
from rag.ports import TextWriter
from rag.text.names import names_in
from rag.text.terms import content_terms, fold, words
from rag.types import Turn

_WORDS_MAX = 60
_UNSAID_MAX = 2  # content words of a rewrite that nobody said: an inflection, a joining word


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Asks a reader that was trained to rewrite."""

    writer: TextWriter

    def __call__(self, question: str, turns: Sequence[Turn]) -> str | None:
        """The question as it would be asked alone, itself where it can be; None where that is no good."""
        opening = openings.of_conversation(turns)
        [text] = self.writer.write([openings.conversation(opening, openings.asked(question))])
        return checked(text.strip(), question, opening.user)


def checked(rewrite: str, question: str, conversation: str) -> str | None:
    """A rewrite that says nothing new; the question itself where only its form was changed.

    None where it is empty, endless, or brings in a name or several words that nobody said.
    """
    if not words(rewrite) or len(rewrite.split()) > _WORDS_MAX:
        return None
    said = f"{conversation} {question}"
    if any(fold(name) not in fold(said) for name in names_in(rewrite)):
        return None
    if len(content_terms(rewrite) - content_terms(said)) > _UNSAID_MAX:
        return None
    return question if words(rewrite) == words(question) else rewrite
