"""The templates: whatever is put into one is text, and no template can decide otherwise."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from chat_assistant import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateAssertionError, UndefinedError, nodes
from markupsafe import Markup

import rag.ui.html
from rag.text.escape import display, escape
from rag.ui.html.environment import counted, environment, fill

TEMPLATES = sorted((Path(rag.ui.html.__file__).parent / "templates").glob("*.html"))
STRANGE = f"{HOSTILE} | a_b \u202e\u2066 \ud800 \x00 &amp; '\" onclick=x # $$x$$ <b>"
CALLERS = {"turn": {"caller": lambda: Markup("<div></div>")}}
ELEMENTS = {
    *"div span a b s h2 h3 p q mark details summary br button iframe".split(),
    *"table thead tbody tr th td svg circle text".split(),
}


class Anything(str):
    """A value of every kind at once: hostile text, a row of such, with such parts, and a number."""

    @property
    def title(self) -> Anything:
        return self

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self):
        return iter([self])

    def __getitem__(self, place: int | slice) -> str:
        return self if place == 0 else super().__getitem__(place)  # its first is one more such value

    def __gt__(self, other: object) -> bool:
        return True

    def __float__(self) -> float:
        return 0.5

    def __format__(self, form: str) -> str:
        return str(self)


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(str(page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def macros() -> list[tuple[str, str, list[str]]]:
    """Template, name and arguments of every macro."""
    found = []
    for path in TEMPLATES:
        tree = environment().parse(path.read_text(encoding="utf-8"))
        for macro in tree.find_all(nodes.Macro):
            found.append((path.name, macro.name, [argument.name for argument in macro.args]))
    return found


@pytest.mark.parametrize(("template", "part", "arguments"), macros())
def test_nothing_that_is_put_into_a_template_can_act(template, part, arguments):
    page = fill(template, part, **{name: Anything(STRANGE) for name in arguments}, **CALLERS.get(part, {}))
    elements = Elements(page).found
    assert {tag for tag, _ in elements} <= ELEMENTS
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    assert not any(
        sign in page for sign in ("<script", "<img", "$", "`", "![", "**", "{{", "\u202e", "\ud800")
    )
    assert "\n" not in page
    assert not arguments or "script&#62;window" in page


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_value_is_inert_as_it_always_was(text):
    assert display(text) == escape(text)
    assert display(Markup(text)) == text
    assert fill("conversations.html", "rows", entries=[{"key": "k", "title": text}], current="k").count(
        escape(text)
    )


def test_escaping_does_not_hang_on_a_switch():
    assert environment().autoescape is True
    off = "{% autoescape false %}{{ value }}{% endautoescape %}"
    for source in ("{{ value }}", off, '{{ value ~ "" }}', "{{ [value][0] }}"):
        assert environment().from_string(source).render(value=STRANGE) == escape(STRANGE)


@pytest.mark.parametrize("name", ["safe", "join", "format", "tojson", "urlize", "xmlattr", "replace"])
def test_filters_that_hand_a_value_on_are_not_there(name):
    with pytest.raises(TemplateAssertionError):
        environment().from_string(f"{{{{ value|{name} }}}}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_do_not_build_markup_of_values(path):
    """`~`, `+` and `%` with markup escape by other rules; `autoescape` blocks switch."""
    tree = environment().parse(path.read_text(encoding="utf-8"))
    assert not list(tree.find_all((nodes.Concat, nodes.Add, nodes.Mod, nodes.ScopedEvalContextModifier)))


def test_a_value_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        fill("answer.html", "notice", message="m")
    with pytest.raises(TypeError):
        fill("answer.html", "notice", message="m", hint="", urgent=False, more=1)


def test_numbers_keep_their_point():
    page = fill("evidence.html", "support_bar", support=0.5, percent=50)
    assert "support 0.50" in page
    assert counted(1500, "paper") == "1,500 papers"
    with pytest.raises(ValueError, match="could not convert"):
        environment().from_string("{{ value|fixed(1) }}").render(value="<b>")
