"""What the model reads, as plain text files. Each file declares its variables; both sides are checked.

A prompt file starts with `variables: a, b` and an empty line; the rest is the text, with `$a` where a
value goes. Values are inserted as they are: braces, dollars and prompts inside them stay text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template


class PromptFileError(ValueError):
    """A prompt file is missing, or its declared and used variables differ; the message names them."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text and the variables it declares."""

    name: str
    text: str
    variables: frozenset[str]

    def render(self, values: Mapping[str, str]) -> str:
        """The text with every variable filled in.

        :raises PromptFileError: if a declared variable has no value, or a value is not declared.
        """
        if set(values) != self.variables:
            raise PromptFileError(
                f"prompt {self.name!r} needs {sorted(self.variables)}, was given {sorted(values)}"
            )
        return Template(self.text).substitute(values)


def parse(name: str, source: str) -> Prompt:
    """A prompt from the text of its file.

    :raises PromptFileError: if the header is missing, a '$' begins no variable, or declared and used
        variables differ.
    """
    header, _, text = source.partition("\n\n")
    if not header.startswith("variables:"):
        raise PromptFileError(f"prompt {name!r} must start with a line 'variables: ...'")
    declared = {part.strip() for part in header.removeprefix("variables:").split(",")} - {""}
    template = Template(text)
    if not template.is_valid():
        raise PromptFileError(f"prompt {name!r} holds a '$' that begins no variable; write '$$'")
    used = set(template.get_identifiers())
    if declared != used:
        raise PromptFileError(f"prompt {name!r} declares {sorted(declared)} but uses {sorted(used)}")
    return Prompt(name, text.strip(), frozenset(declared))


@cache
def load(name: str) -> Prompt:
    """The shipped prompt `prompts/<name>.txt`.

    :raises PromptFileError: if there is no such file or it does not parse.
    """
    file = files(__package__).joinpath(f"{name}.txt")
    if not file.is_file():
        raise PromptFileError(f"there is no prompt {name!r}")
    return parse(name, file.read_text(encoding="utf-8"))


def fingerprint() -> str:
    """First 16 hex digits of sha256 over every shipped prompt, in name order."""
    digest = hashlib.sha256()
    for file in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".txt"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
