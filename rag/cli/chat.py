"""Questions from a terminal, one after another, each answered in the light of those before.

Reads lines and passes answers to `rag.cli.terminal`; knows nothing of how they are made.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rag.cli import terminal
from rag.errors import CitewiseError
from rag.ports import TerminalAnswers
from rag.text.printable import readable
from rag.types import Answer, Turn


def converse(assistant: TerminalAnswers) -> None:
    """Answer line after line until the input ends or says /quit; /new forgets what was said."""
    history: list[Turn] = []
    while (line := _read_line()) is not None and line not in ("/quit", "/exit"):
        if line == "/new":
            history.clear()
        elif line:
            history += _turn(assistant, line, history)


def _turn(assistant: TerminalAnswers, question: str, history: list[Turn]) -> list[Turn]:
    """One question of a chat and its answer; nothing when it failed or was stopped by Ctrl-C."""
    err = terminal.messages()
    try:
        given = answer(assistant, question, history, draft=True)
    except CitewiseError as exc:
        terminal.show_failure(exc, err)
        return []
    except KeyboardInterrupt:
        err.print("\nStopped.")
        return []
    show(given)
    said = given.abstention.message if given.abstention else given.text
    return [Turn("user", question), Turn("assistant", said)] if said else []


def _read_line() -> str | None:
    """The next line a person types; None at the end."""
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return readable(input("> ")).strip()
        line = sys.stdin.readline()
    except EOFError:
        return None
    return readable(line).strip() if line else None


def answer(assistant: TerminalAnswers, question: str, history: Sequence[Turn] = (), *, draft: bool) -> Answer:
    """Stream the draft to a person who watches; else just answer."""
    if draft and sys.stdout.isatty() and sys.stderr.isatty():
        return terminal.show_stream(assistant.stream(question, history), terminal.messages())
    return assistant.ask(question, history)


def show(given: Answer) -> None:
    """Show an answer, or on standard error why there is none."""
    if given.error is not None:
        terminal.show_failure(given.error, terminal.messages())
    else:
        terminal.show_answer(given, terminal.output())
