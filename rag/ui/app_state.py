"""What all tabs share: the library, the open assistants, the queue, saved conversations, votes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

from rag.ports import Indexed
from rag.types import Paper
from rag.ui.chat import Chat
from rag.ui.state.conversation_store import ConversationStore
from rag.ui.state.draft_queue import DraftQueue
from rag.ui.state.library import AssistantChoice, AssistantPool, Library
from rag.ui.state.map_layout import CollectionMap, lay_out
from rag.ui.state.papers import by_title

PAPERS_MAX = 20


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The papers of a collection by title, and their map."""

    papers: Sequence[Paper]
    map: CollectionMap


class AppState:
    """One per server. `downloads` is a folder for files that people download, gone with the process."""

    def __init__(self, library: Library, question_chars_max: int) -> None:
        folder = library.settings.data_dir
        self.library = library
        self.assistants = AssistantPool(library)
        self.store = ConversationStore(folder / "conversations")
        self.votes = folder / "thumbs.jsonl"
        self.batches = folder / "batches"
        self.queue = DraftQueue()
        self.chat = Chat(self.assistants, self.store, self.queue, question_chars_max)
        self._laying_out = threading.Lock()
        self._catalogues: WeakKeyDictionary[Indexed, Catalogue] = WeakKeyDictionary()

    @cached_property
    def downloads(self) -> Path:
        """Where exports are written for the browser to fetch."""
        self._folder = tempfile.TemporaryDirectory(prefix="citewise-")
        return Path(self._folder.name)

    def choice(self, collection: object, papers: object, mode: object, generator: object) -> AssistantChoice:
        """What the controls say, with the default in place of what is not offered."""
        default = self.library.default()
        names = {info.name for info in self.library.collections()}
        count = int(papers) if isinstance(papers, int | float) else default.papers
        return AssistantChoice(
            collection=collection
            if isinstance(collection, str) and collection in names
            else default.collection,
            papers=min(max(count, 1), PAPERS_MAX),
            strict=mode == QUOTES_MODE,
            generator=generator
            if isinstance(generator, str) and generator in self.library.generators()
            else default.generator,
        )

    def catalogue(self, index: Indexed) -> Catalogue:
        """The papers and the map of an index, made once."""
        with self._laying_out:
            if index not in self._catalogues:
                self._catalogues[index] = Catalogue(by_title(list(index.all_papers())), lay_out(index))
            return self._catalogues[index]


BALANCED_MODE, QUOTES_MODE = "Balanced", "Quotes only"
