"""What each reader of text takes for a character that does not print, code point by code point."""

from __future__ import annotations

import re
import sys

import pytest

from rag.batch import results
from rag.cli import terminal
from rag.readers import rows
from rag.text import escape
from rag.text.printable import readable
from rag.ui.state import plain_text

SPANS = [(0x202A, 0x202E), (0x2066, 0x2069)]
MARKS = [(0x61C, 0x61C), (0x200E, 0x200F)]
LINES = [(0x2028, 0x2029)]
HIDDEN = [(0xFEFF, 0xFEFF), (0xE0000, 0xE007F)]
HALVES = [(0xD800, 0xDFFF)]


@pytest.mark.parametrize(
    ("pattern", "ranges"),
    [
        (terminal._CONTROLS, [(0, 9), (0xB, 0x1F), (0x7F, 0x9F), *MARKS, *LINES, *SPANS, *HIDDEN]),
        (escape._INVISIBLE, [(0, 8), (0xE, 0x1B), (0x7F, 0x84), (0x86, 0x9F), *MARKS, *SPANS, *HIDDEN]),
        (results._RISKY, [(0x7F, 0x9F), *MARKS, *LINES, *SPANS]),
        (plain_text._CONTROL, [(0, 0x1F), (0x7F, 0x9F), *LINES, *SPANS, *HALVES]),
        (rows._REPLACED_CHARS, [(0, 0), *HALVES]),
    ],
)
def test_each_reader_takes_its_own_characters_and_no_others(
    pattern: re.Pattern[str], ranges: list[tuple[int, int]]
) -> None:
    found = {code for code in range(sys.maxunicode + 1) if pattern.fullmatch(chr(code))}
    assert found == {code for first, last in ranges for code in range(first, last + 1)}


@pytest.mark.parametrize(
    ("text", "whole"), [("a\ud800b\udfff", "a\ufffdb\ufffd"), ("é\U0001f600\0", "é\U0001f600\0")]
)
def test_half_characters_become_one_that_can_be_written(text: str, whole: str) -> None:
    assert readable(text) == whole
    assert len(whole.encode()) > 0
