"""A chat model's template and tokenizer without transformers: `tokenizer.json`, jinja2 and numpy.

Renders as transformers does (same options, same helpers, sandboxed), so that both engines read one prompt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.models.engines.graph import read_config, window_of
from rag.models.engines.tokens import read_tokenizer

Turns = Sequence[dict[str, str]]  # each {"role": ..., "content": ...}


class ChatTokens:
    """Conversations as token numbers and back."""

    def __init__(self, folder: Path) -> None:
        """:raises OSError: if the folder lacks a tokenizer or a template."""
        self._tokenizer = read_tokenizer(folder)
        self._names = _json(folder / "tokenizer_config.json")
        self._template = _template(folder, self._names)
        config = read_config(folder)
        told = _json(folder / "generation_config.json").get("eos_token_id", config.get("eos_token_id"))
        self.ends = frozenset(told if isinstance(told, list) else [told])
        self.window = window_of(config)

    @property
    def filler(self) -> int:
        """What stands before a short prompt in a batch: never looked at."""
        return min((number for number in self.ends if number is not None), default=0)

    def prompt(self, turns: Turns) -> str:
        """What the model reads, after the chat template."""
        special = {name: _text(self._names.get(name)) for name in ("bos_token", "eos_token", "pad_token")}
        return str(self._template.render(messages=list(turns), add_generation_prompt=True, **special))

    def numbers(self, text: str) -> list[int]:
        """Token numbers; nothing is added."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def text(self, numbers: Sequence[int]) -> str:
        """The text of token numbers, without special tokens."""
        return str(self._tokenizer.decode(list(numbers), skip_special_tokens=True))


def _template(folder: Path, names: dict[str, Any]) -> Any:  # noqa: ANN401 - a jinja2 template
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    path = folder / "chat_template.jinja"
    source = path.read_text(encoding="utf-8") if path.is_file() else names.get("chat_template")
    if not isinstance(source, str):
        raise OSError(f"{folder} has no chat template")
    rooms = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    rooms.globals["raise_exception"] = refuse
    rooms.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        return rooms.from_string(source)
    except TemplateError as exc:
        raise OSError(f"{folder}: the chat template cannot be read ({exc})") from exc


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(token: object) -> str:
    """A special token, which old files write as an object."""
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")
