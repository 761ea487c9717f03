"""Conversations on this machine's disk: one JSON file each, in a folder per browser.

Files, not the browser's own storage: whole answers with their abstracts outgrow its few megabytes, would
travel with every click, and could not be checked when they come back. The browser keeps only a random
key, so that two people who share a server do not see each other's.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import OutputError
from rag.storage.atomic import write_whole
from rag.types import Trace
from rag.ui.state.conversation import TITLE_CHARS_MAX, Conversation, Exchange

if TYPE_CHECKING:
    from pydantic import TypeAdapter

KEPT_MAX = 200
_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SavedConversation:
    """A conversation as it lies on disk."""

    title: str
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A line of the list of conversations."""

    key: str
    title: str


def new_owner() -> str:
    """A key for a browser that has none."""
    return uuid.uuid4().hex


def is_key(text: object) -> bool:
    """Whether this is a key of ours, which cannot be a path."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


class ConversationStore:
    """Saves, lists, opens, renames and deletes the conversations of each owner."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self, owner: str) -> list[ConversationEntry]:
        """What an owner has, newest first. Files that cannot be read are left out."""
        found = []
        for path in self._files(owner):
            saved = _read(path)
            if saved is not None:
                found.append(ConversationEntry(path.stem, saved.title))
        return found

    def save(self, conversation: Conversation) -> None:
        """Write a conversation whole, in place of what it was.

        :raises OutputError: if it cannot be written.
        """
        if not (is_key(conversation.owner) and is_key(conversation.key) and conversation.exchanges):
            return
        slim = tuple(_slim(exchange) for exchange in conversation.exchanges)
        self._write(
            self._path(conversation.owner, conversation.key), SavedConversation(conversation.title, slim)
        )
        for old in self._files(conversation.owner)[KEPT_MAX:]:
            old.unlink(missing_ok=True)

    def open(self, owner: str, key: str) -> Conversation | None:
        """A saved conversation, not yet rendered; None if there is none."""
        saved = _read(self._path(owner, key)) if is_key(owner) and is_key(key) else None
        if saved is None:
            return None
        asked = max((exchange.number for exchange in saved.exchanges), default=0)
        return Conversation(
            owner=owner, key=key, title=saved.title, exchanges=list(saved.exchanges), asked=asked
        )

    def rename(self, owner: str, key: str, title: str) -> str | None:
        """Give a conversation another title; returns it as kept, None if nothing was changed."""
        title = " ".join(title.split())[:TITLE_CHARS_MAX]
        path = self._path(owner, key) if is_key(owner) and is_key(key) else None
        saved = _read(path) if path else None
        if path is None or saved is None or not title:
            return None
        changed = path.stat().st_mtime
        self._write(path, replace(saved, title=title))
        os.utime(path, (changed, changed))
        return title

    def delete(self, owner: str, key: str) -> None:
        """Forget a conversation."""
        if is_key(owner) and is_key(key):
            self._path(owner, key).unlink(missing_ok=True)

    def _path(self, owner: str, key: str) -> Path:
        return self._folder / owner / f"{key}.json"

    def _files(self, owner: str) -> list[Path]:
        """An owner's files, newest first."""
        if not is_key(owner):
            return []
        files = [path for path in (self._folder / owner).glob("*.json") if is_key(path.stem)]
        return sorted(files, key=lambda path: (-_changed(path), path.name))

    def _write(self, path: Path, saved: SavedConversation) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A lone surrogate, half a character of some broken file, becomes a question mark.
            write_whole(path, json.dumps(asdict(saved), ensure_ascii=False).encode("utf-8", "replace"))
        except OSError as exc:
            raise OutputError(
                f"The conversation could not be saved ({exc.strerror or exc}).",
                hint="Make room on the disk, or set CITEWISE_DATA_DIR to a folder you can write.",
            ) from exc


def _slim(exchange: Exchange) -> Exchange:
    """Without what only the checks needed: the evidence repeats whole papers."""
    answer = exchange.answer
    if answer is None:
        return exchange
    trace = Trace(kind=answer.trace.kind, dropped=answer.trace.dropped)
    return replace(exchange, answer=replace(answer, trace=trace))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> SavedConversation | None:
    try:
        return _adapter().validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


@cache
def _adapter() -> TypeAdapter[SavedConversation]:
    from pydantic import TypeAdapter

    return TypeAdapter(SavedConversation)
