"""What the model reads, to the letter, and which prompt files are refused.

After a prompt was changed on purpose:

    PYTHONPATH=.:tests:tests/generate python -m test_golden_prompt paper > tests/golden/paper.txt
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fakes import MONARCH, RETRO, texts_of

from prompts import PromptFileError, fingerprint, load, parse
from rag.models import openings
from rag.types import Turn

ROOT = Path(__file__).parents[2]
QUESTION = "How do ${evidence} and {braces} of Monarch Mixer compare with $question 100%?"
(MONARCH_READ,) = texts_of(MONARCH).values()  # figures as the listing pages mangle them
SAID = [
    (MONARCH.title, "It reaches 9.1x higher throughput."),
    (RETRO.title, "It lowers perplexity by 12%."),
]
TALK = [Turn("user", "What is Retro-Li?"), Turn("assistant", "Retro-Li retrieves from a memory [1].")]
ASKED = {
    "paper": (openings.of_text(MONARCH_READ), openings.asked(QUESTION)),
    "statement": (openings.of_text(MONARCH_READ), openings.proposed(QUESTION, "By 9.1x.")),
    "summary": (openings.of_findings(SAID), openings.asked(QUESTION)),
    "rewrite": (openings.of_conversation(TALK), openings.asked(QUESTION)),
}


def asked(name: str) -> str:
    messages = openings.conversation(*ASKED[name])
    return "".join(f"--- {message.type}\n{message.content}\n" for message in messages)


@pytest.mark.parametrize("name", ASKED)
def test_the_prompt_is_the_golden_one(name: str) -> None:
    assert asked(name) == (ROOT / "tests" / "golden" / f"{name}.txt").read_text(encoding="utf-8")


def test_a_prompt_is_its_text_with_the_values_as_they_are() -> None:
    prompt = parse("p", "variables: a, b\n\nSay $a and ${b}!\n")
    assert prompt.variables == {"a", "b"}
    assert prompt.render({"a": "$b {x}", "b": "\\1 %s"}) == "Say $b {x} and \\1 %s!"


def test_a_prompt_may_have_no_variables() -> None:
    assert parse("p", "variables:\n\nBe brief.").render({}) == "Be brief."


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "variables:"),
        ("Say $a.", "variables:"),
        ("variable: a\n\nSay $a.", "variables:"),
        ("variables: a\n\nSay $b.", "declares ['a'] but uses ['b']"),
        ("variables: a, b\n\nSay $a.", "declares ['a', 'b'] but uses ['a']"),
        ("variables: a\n\nSay $a and ${b}.", "uses ['a', 'b']"),
        ("variables: a", "declares ['a'] but uses []"),
    ],
)
def test_a_prompt_file_that_does_not_agree_with_itself_is_refused(source: str, told: str) -> None:
    with pytest.raises(PromptFileError) as caught:
        parse("mine", source)
    assert "'mine'" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("values", [{}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}])
def test_missing_and_surplus_values_are_named(values: dict[str, str]) -> None:
    prompt = parse("mine", "variables: a, b\n\n$a $b")
    with pytest.raises(PromptFileError, match=r"needs \['a', 'b'\]") as caught:
        prompt.render(values)
    assert str(sorted(values)) in str(caught.value)


@pytest.mark.parametrize("source", ["variables: a\n\nIt costs $5, $a.", "variables: a\n\n$a costs 5$."])
def test_a_dollar_that_is_no_variable_is_refused_when_read(source: str) -> None:
    with pytest.raises(PromptFileError):
        parse("mine", source)


def test_a_doubled_dollar_is_a_dollar() -> None:
    assert parse("mine", "variables: a\n\n$a costs $$5, not $$a.").render({"a": "It"}) == (
        "It costs $5, not $a."
    )


def test_a_prompt_that_is_not_there_is_named() -> None:
    with pytest.raises(PromptFileError, match="'nonsense'"):
        load("nonsense")


@pytest.mark.parametrize("path", sorted((ROOT / "prompts").glob("*.txt")), ids=lambda path: path.stem)
def test_shipped_prompts_parse(path: Path) -> None:
    prompt = load(path.stem)
    assert prompt.render(dict.fromkeys(prompt.variables, "x"))


def test_the_fingerprint_is_of_the_files() -> None:
    assert len(fingerprint()) == 16
    assert fingerprint() == fingerprint()


if __name__ == "__main__":
    sys.stdout.write(asked(sys.argv[1]))
