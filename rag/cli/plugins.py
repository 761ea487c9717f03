"""What all commands share: how failures are shown, and commands that other packages plug in.

A package adds `citewise NAME` by an entry point of the group `citewise.commands` whose object is a
`typer.Typer` with one command. It is loaded when NAME is typed or help is asked for, not before.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import ParamSpec

import typer
import typer.core
import typer.main

from rag.cli import terminal
from rag.errors import CitewiseError, QuestionFileError, ReadError, SettingsError

GROUP = "citewise.commands"
_UNREADABLE = (QuestionFileError, ReadError, SettingsError)
_P = ParamSpec("_P")


def reported(command: Callable[_P, None]) -> Callable[_P, None]:
    """Show errors of Citewise as message and hint; keep quiet about closed pipes and Ctrl-C."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CitewiseError as exc:
            terminal.show_failure(exc, terminal.messages())
            raise typer.Exit(2 if isinstance(exc, _UNREADABLE) else 1) from exc
        except KeyboardInterrupt as exc:
            raise typer.Exit(130) from exc
        except BrokenPipeError as exc:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from exc

    return run


class PluggableGroup(typer.core.TyperGroup):
    """Our own commands, and after them those of installed packages. Ours cannot be replaced."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The names in the order of the help."""
        own = super().list_commands(ctx)
        return [*own, *sorted(plugged().keys() - set(own))]

    def get_command(self, ctx: typer.Context, cmd_name: str):  # type: ignore[no-untyped-def,override]  # noqa: ANN201
        """The command of this name; None when there is none."""
        own = super().get_command(ctx, cmd_name)
        point = None if own else plugged().get(cmd_name)
        return typer.main.get_command(point.load()) if point else own


def plugged() -> dict[str, EntryPoint]:
    """The entry points of other packages by the name of their command; nothing is loaded."""
    return {point.name: point for point in entry_points(group=GROUP)}
