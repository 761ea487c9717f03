"""Values -> HTML: the templates of the report, filled. What they are given is inert unless it is `Markup`.

A part of a template is a macro; `fill` gives back what it made as `Markup`, so that parts nest.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rag.text.escape import display, escape_lines


def fill(template: str, part: str, **values: object) -> Markup:
    """What the macro `part` of `templates/<template>.html` makes of these values."""
    made = getattr(_templates().get_template(f"{template}.html").module, part)(**values)
    assert isinstance(made, Markup)
    return made


def number(value: float | None, digits: int = 3) -> str:
    """A figure as papers print it: .912, −.050, 1.000; a dash when there is none."""
    if value is None:
        return "–"
    printed = f"{abs(value):.{digits}f}"
    sign = "−" if value < 0 and float(printed) else ""
    return sign + (printed[1:] if printed.startswith("0.") else printed)


@cache
def _templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=display,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"number": number, "lines": escape_lines}
    return found
