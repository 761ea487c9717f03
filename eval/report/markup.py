"""Text -> HTML. Whatever comes from papers, questions, models or settings goes through `text`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.text.escape import inert, inert_lines

__all__ = ["element", "inert_lines", "number", "table", "text"]


def text(value: object) -> str:
    """Anything as text that cannot act, one line; also safe within an attribute's quotes."""
    return inert(str(value))


def element(tag: str, content: str, **attributes: str) -> str:
    """An element; `content` is markup, attribute values are made inert. `class_` is `class`."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"' for name, value in attributes.items()
    )
    return f"<{tag}{named}>{content}</{tag}>"


def number(value: float | None, digits: int = 3) -> str:
    """A figure as papers print it: .912, −.050, 1.000; a dash when there is none."""
    if value is None:
        return "–"
    printed = f"{abs(value):.{digits}f}"
    sign = "−" if value < 0 and float(printed) else ""
    return sign + (printed[1:] if printed.startswith("0.") else printed)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "") -> str:
    """A table of markup cells; the first of each row is its heading."""
    top = "".join(element("th", cell, scope="col") for cell in head)
    body = "".join(
        element("tr", element("th", row[0], scope="row") + "".join(element("td", cell) for cell in row[1:]))
        for row in rows
    )
    title = element("caption", element("span", caption)) if caption else ""
    inside = f"{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return element("div", element("table", inside), class_="scroll")
