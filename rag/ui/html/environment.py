"""The page's templates, and what becomes of every value that is put into one.

A template holds macros; `fill` calls one. A value comes out inert (`rag.text.escape`) unless it is `Markup`,
which only templates and the filters below make: nobody has to remember to escape. Jinja's own filters are
not there, so that none of them (`safe`, `join`) can hand a value on as it is.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from rag.text.clean import clean
from rag.text.escape import display, escape_lines

if TYPE_CHECKING:
    from jinja2 import Environment


def fill(template: str, part: str, /, **values: object) -> Markup:
    """The macro `part` of a template, called with these values.

    :raises jinja2.UndefinedError: if it uses a value that is not given.
    """
    macro = getattr(environment().get_template(template).module, part)
    return Markup(macro(**values))  # noqa: S704 - made by a template


@cache
def environment() -> Environment:
    """The one environment of all templates."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        finalize=display,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.filters = {"clean": clean, "counted": counted, "fixed": _fixed, "length": len, "lines": escape_lines}
    return made


def counted(count: int, noun: str) -> str:
    """A number of things in words.

    >>> counted(1, "paper"), counted(1500, "paper")
    ('1 paper', '1,500 papers')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _source(name: str) -> str:
    """A template's text without its line breaks and indentation: a blank line would end the page's block."""
    text = (files("rag.ui.html") / "templates" / name).read_text(encoding="utf-8")
    return "".join(map(str.strip, text.splitlines()))


def _fixed(value: float, places: int) -> Markup:
    """A number with so many decimals, as attributes need it: with a point, not with an entity."""
    return Markup(f"{float(value):.{places}f}")  # noqa: S704 - digits, sign and point
