"""The list of saved conversations as HTML. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rag.ui.html.environment import fill
from rag.ui.state.conversation_store import ConversationEntry


def list_html(entries: Sequence[ConversationEntry], current: str | None) -> Markup:
    """One row per conversation, the one on screen marked."""
    return fill("conversations.html", "rows", entries=entries, current=current)
