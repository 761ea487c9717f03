from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.numbers import Quantity, quantities
from rag.verify.numbers import unsupported_numbers

P, X, N = "percent", "times", "plain"

READ = [
    ("9.1x higher", [(9.1, X)]),
    ("9.1 times higher", [(9.1, X)]),
    ("9.1times higher", [(9.1, X)]),  # as listings write it
    ("up to 2.5× faster", [(2.5, X)]),
    ("an x2 gain, then ×3", [(2, X), (3, X)]),
    ("1.3B parameters", [(1.3e9, N)]),
    ("1.3 billion parameters", [(1.3e9, N)]),
    ("length 4K", [(4000, N)]),
    ("4,096 and 1,234,567", [(4096, N), (1234567, N)]),
    ("12%", [(12, P)]),
    ("12x", [(12, X)]),
    ("12 %, or", [(12, P)]),
    ("27 percent", [(27, P)]),
    ("27 per cent", [(27, P)]),
    ("1.3 percentage points", [(1.3, P)]),
    ("~3x", [(3, X)]),
    ("5.9% → 10.9%", [(5.9, P), (10.9, P)]),
    ("60-65%", [(60, P), (65, P)]),  # the first of a range has the unit of the second
    ("1.2-2.4x", [(1.2, X), (2.4, X)]),
    ("2 to 3 times", [(2, X), (3, X)]),
    ("in 2024", [(2024, N)]),
    ("the 1990s", [(1990, N)]),
    ("top-1 and top-64", [(1, N), (64, N)]),
    ("a rate of 1e-5", [(1e-5, N)]),
    ("it is 3.5.", [(3.5, N)]),
    ("(7.5%), and", [(7.5, P)]),
    ("improving by49.5% over", [(49.5, P)]),  # a blemish of listings
    ("two of twenty-five", [(2, N), (25, N)]),
    ("sixteen, seventy, fourteen", [(16, N), (70, N), (14, N)]),  # not six, seven, four
    ("tensor, often, tenure, weighted", []),
    ("one of them", []),
    ("one million, a hundred", [(1e6, N), (100, N)]),
    ("ten thousand", [(10000, N)]),
    ("tenfold and two-fold", [(10, X), (2, X)]),
    ("zero-shot", []),
    ("zero errors", [(0, N)]),
    ("half of it, twice", [(0.5, N), (2, X)]),
    ("GPT-4, Llama-2-7B, Qwen2.5-72B, MATH500, v1.5, F1", []),  # names, not quantities
    ("3D and 2nd", [(2, N)]),
    ("64k-128k-token", [(64000, N), (128000, N)]),
    ("512x512 or 1024×768", [(512, N), (512, N), (1024, N), (768, N)]),
    ("10 ms and 10ms", [(10, "millisecond"), (10, "millisecond")]),
    ("5GB in 2 hours at 4-bit", [(5, "gigabyte"), (2, "hour"), (4, "bit")]),
    ("1/5 of $5", [(1, N), (5, N), (5, N)]),
    (".5", [(0.5, N)]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_quantities(text, expected):
    assert quantities(text) == tuple(Quantity(float(value), unit) for value, unit in expected)


HELD = [  # sentence, evidence, what is missing
    ("9.1x higher", "9.1 times higher", ()),
    ("9.1x higher", "2.5x higher", ("9.1x",)),
    ("12%", "12x", ("12%",)),
    ("12 milliseconds", "12 seconds", ("12 millisecond",)),
    ("accuracy of 83.1", "accuracy of 83.1%", ()),
    ("83.1% accuracy", "an accuracy of 83.1", ()),
    ("1.3 billion", "1.3B", ()),
    ("4,000 tokens", "4K tokens", ()),
    ("27 percent", "27%", ()),
    ("5 tasks", "five tasks", ()),
    ("five tasks", "three tasks", ("5",)),
    ("60% to 65%", "60-65%", ()),
    ("GPT-4 wins", "it wins", ()),  # a name's business, not a number's
    ("4 data sets", "GPT-4 on data sets", ("4",)),  # the 4 of GPT-4 carries nothing
    ("a 7B model", "Llama-2-7B", ()),  # but a size inside a name does
    ("in 2025", "SemEval-2025 Task 11", ()),
    ("2 methods", "both methods", ()),
    ("ranked 3rd", "ranked third", ()),
    ("1 step", "a single step", ()),
    ("1.3% and 2.4%", "1.3% only", ("2.4%",)),
    ("512x512 images", "1024x1024 images", ("512", "512")),
    ("nothing at all", "", ()),
]


@pytest.mark.parametrize(("sentence", "evidence", "missing"), HELD)
def test_unsupported_numbers(sentence, evidence, missing):
    assert unsupported_numbers(sentence, evidence) == missing


@given(st.text(alphabet="0123456789.,%x×- kKmMbBeE\ntimes", max_size=60))
def test_every_text_carries_its_own_numbers(text):
    assert unsupported_numbers(text, text) == ()


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_two_numbers_are_equal_only_as_numbers(first, second):
    assert (unsupported_numbers(f"{first:,} papers", f"{second} papers") == ()) == (first == second)
