"""Elements of an XML file one by one, with the line each starts on.

Entities that the file declares are refused, so that neither other files are read nor a few lines grow
into gigabytes. Only what is asked for is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from rag.errors import ReadError
from rag.readers.source import Source, open_bytes
from rag.types import Rejected

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

_PIECE_BYTES = 65_536


def elements(source: Source, name: str) -> Iterator[tuple[int, Element] | Rejected]:
    """Every element of this name with its line; a rejection where the file is no XML any more.

    :raises ReadError: if the file cannot be read, or declares entities.
    """
    from defusedxml.ElementTree import DefusedXMLParser

    builder = _Collector(name)
    parser = DefusedXMLParser(target=builder, forbid_dtd=False)
    builder.expat = parser.parser
    count, fault = 0, None
    with open_bytes(source.path) as stream:
        while fault is None:
            piece = stream.read(_PIECE_BYTES)
            fault = _fault(partial(parser.feed, piece) if piece else parser.close, source)
            count += len(builder.done)
            yield from builder.taken()
            if not piece:
                break
    if fault is not None:
        yield fault
    elif not count:
        yield Rejected(source.origin, 1, f"no <{name.rpartition('}')[2]}> in it")


def _fault(parse: Callable[[], object], source: Source) -> Rejected | None:
    """Parse on; the place where that is not possible, if so."""
    from defusedxml import DefusedXmlException

    try:
        parse()
    except ParseError as exc:
        return Rejected(source.origin, exc.position[0], f"invalid XML, the rest is not read: {exc.msg}")
    except DefusedXmlException as exc:
        raise ReadError(
            f"{source.path} declares XML entities, which can read other files or grow without end.",
            hint="Fetch the file from its publisher again; theirs declare none.",
        ) from exc
    return None


def text_of(element: Element | None) -> str:
    """The words of an element without its markup, white space collapsed; empty when there is none."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


class _Collector(TreeBuilder):
    """Builds the elements of one name and forgets everything around them."""

    expat: XMLParserType

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._line = name, 0
        self.done: list[tuple[int, Element]] = []
        self._open: list[Element] = []

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        element = super().start(tag, attrs)
        if tag == self._name:
            self._line = self.expat.CurrentLineNumber
        self._open.append(element)
        return element

    def end(self, tag: str) -> Element:
        element = super().end(tag)
        self._open.pop()
        if tag == self._name:
            self.done.append((self._line, element))
            if self._open:
                self._open[-1].clear()
        return element

    def taken(self) -> list[tuple[int, Element]]:
        """What is complete since the last call."""
        done, self.done = self.done, []
        return done
