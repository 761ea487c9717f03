"""A prompt file as the messages of a chat."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

import prompts
from rag.errors import PromptError


def filled(name: str, values: Mapping[str, str]) -> list[BaseMessage]:
    """The conversation of prompts/<name>_system.txt and prompts/<name>_user.txt, the latter filled.

    :raises PromptError: if a prompt file is missing or its variables do not match.
    """
    try:
        system = prompts.load(f"{name}_system").render({})
        user = prompts.load(f"{name}_user").render(values)
    except prompts.PromptFileError as exc:
        raise PromptError(str(exc), hint="Mend the file in prompts/, or reinstall.") from exc
    return [SystemMessage(system), HumanMessage(user.strip())]
