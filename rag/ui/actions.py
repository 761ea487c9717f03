"""What page.js hands over: votes, and opening, renaming and deleting conversations.

Comes as JSON from a browser, so nothing of it is believed before it is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from rag.errors import CitewiseError
from rag.ui.app_state import AppState
from rag.ui.chat import View, whole_view
from rag.ui.html.answer import exchange_html, notice_html
from rag.ui.state.conversation import Conversation
from rag.ui.state.feedback import Feedback, Verdict, record

Updates = dict[object, object]


class Actions:
    """Each returns the updates that show what came of it."""

    def __init__(self, app_state: AppState, updates_of: Callable[[View], Updates]) -> None:
        self._app_state = app_state
        self._updates_of = updates_of

    def renew(self, state: Conversation | None, owner: str) -> Updates:
        """An empty conversation."""
        conversation = state or Conversation(owner=owner)
        return self._updates_of(self._app_state.chat.turn_to(Conversation(owner=owner), conversation))

    def act(self, message: str, state: Conversation | None, owner: str) -> Updates:
        """Do what page.js asks for."""
        return self._updates_of(self.view_after(wish(message), state or Conversation(owner=owner), owner))

    def view_after(self, wish: dict[str, str], conversation: Conversation, owner: str) -> View:
        """What the page shows after a wish was granted, or was none of ours."""
        act, key = wish.get("do", ""), wish.get("key", "")
        busy = conversation.pending is not None
        try:
            if act in {"up", "down"}:
                return self._vote(wish, conversation)
            if act == "open":
                other = self._app_state.chat.open(owner, key)
                return (
                    self._app_state.chat.turn_to(other, conversation) if other else whole_view(conversation)
                )
            if act == "rename":
                title = self._app_state.store.rename(owner, key, wish.get("title", ""))
                conversation.title = title if title and key == conversation.key else conversation.title
            if act == "delete":
                self._app_state.store.delete(owner, key)
                if key == conversation.key and not busy:
                    return whole_view(Conversation(owner=owner))
        except CitewiseError as exc:
            return View(conversation, notice=notice_html(exc.message, exc.hint, urgent=True), busy=busy)
        return View(conversation, log="".join(conversation.rendered), busy=busy)

    def _vote(self, wish: dict[str, str], conversation: Conversation) -> View:
        """Write the vote; the log stays as it is, page.js has marked the button."""
        verdict: Verdict = "up" if wish["do"] == "up" else "down"
        number = int(wish["number"]) if wish.get("number", "").isdecimal() else 0
        exchange = conversation.judge(number, verdict)
        if exchange is not None and exchange.answer is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            vote = Feedback(exchange.answer, conversation.history(number), verdict, now, wish.get("note", ""))
            record(self._app_state.votes, vote)
            conversation.rendered = [exchange_html(said) for said in conversation.exchanges]
            self._app_state.store.save(conversation)
        thanks = "Thank you: your note is kept on this machine." if wish.get("note") else ""
        view = View(conversation, busy=conversation.pending is not None)
        return replace(view, notice=notice_html(thanks)) if thanks else view


def wish(message: str) -> dict[str, str]:
    """The JSON object of a wish, its values as text; empty if it is none."""
    try:
        found = json.loads(message)
    except (ValueError, TypeError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
