"""What a person can choose on the page, and the assistants behind the choices.

A choice is a collection, how many papers are looked at, quotes only or not, and the generator. Models and
indexes are opened once and shared by all choices that need them; the least used choices are let go.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.errors import ReadError
from rag.ports import MappedAnswers, Progress
from rag.settings import Settings
from rag.storage.generations import current_name
from rag.types import Paper
from rag.web.opening import LoadingAssistant

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.index.build import IngestReport
    from rag.index.embedding import Embedder
    from rag.index.paper_index import PaperIndex

DEFAULT = "default"
_OPEN_MAX = 8
_Loading = LoadingAssistant[MappedAnswers]
_OF_PATHS = "papers-"  # collections that `--papers PATH` made, named by content


@dataclass(frozen=True, slots=True)
class AssistantChoice:
    """What a person chose. Equal choices share an assistant."""

    collection: str
    papers: int
    strict: bool
    generator: str


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection to choose from; `papers` is None before it is built."""

    name: str
    label: str
    papers: int | None


class Library(Protocol):
    """What the page needs to know of collections and models."""

    @property
    def settings(self) -> Settings:
        """The settings the page was started with."""
        ...

    @property
    def ships(self) -> bool:
        """Whether the default collection is that of the papers that ship."""
        ...

    def default(self) -> AssistantChoice:
        """What is chosen before anyone chooses."""
        ...

    def collections(self) -> list[CollectionInfo]:
        """The collections there are, the default first."""
        ...

    def generators(self) -> list[str]:
        """The names of the generators on this machine, that of the settings first."""
        ...

    def version(self, collection: str) -> str | None:
        """Changes whenever the collection does."""
        ...

    def open(self, choice: AssistantChoice, progress: Progress) -> MappedAnswers:
        """The assistant of a choice; builds the default collection on first use."""
        ...

    def add(self, papers: Sequence[Paper], collection: str, progress: Progress) -> IngestReport:
        """Put papers into a collection, new or not."""
        ...


class LocalLibrary:
    """The collections and models of this machine. `papers`: a path in place of the papers that ship."""

    def __init__(self, settings: Settings, papers: str | None = None) -> None:
        self.settings = settings
        self.ships = papers is None
        self._papers = papers
        self._opening = threading.Lock()
        self._embedder: Embedder | None = None
        self._generators: dict[str, tuple[BaseChatModel | None, str]] = {}
        self._indexes: dict[str, tuple[str | None, PaperIndex]] = {}

    def default(self) -> AssistantChoice:
        """See `Library.default`."""
        own = self.settings
        return AssistantChoice(DEFAULT, own.passages_top_k, own.strict, own.generator)

    def collections(self) -> list[CollectionInfo]:
        """See `Library.collections`."""
        root = self.settings.cache_dir / "index"
        first = Path(self._papers).expanduser().resolve().name if self._papers else "Shipped papers"
        known = self._indexes.get(DEFAULT)
        count = known[1].manifest.papers if known else None if self._papers else papers_in(root / DEFAULT)
        found = [CollectionInfo(DEFAULT, first, count)]
        for folder in sorted(path for path in root.glob("*") if path.is_dir()):
            own = not folder.name.startswith(_OF_PATHS) and (folder.name != DEFAULT)
            count = papers_in(folder) if own else None
            if count is not None:
                found.append(CollectionInfo(folder.name, folder.name, count))
        return found

    def generators(self) -> list[str]:
        """See `Library.generators`."""
        from rag.models.weights import NONE, installed_generators

        return list(dict.fromkeys([self.settings.generator, *installed_generators(), NONE]))

    def version(self, collection: str) -> str | None:
        """See `Library.version`."""
        if collection == DEFAULT and self._papers:
            return "as given"
        return current_name(self._root(collection))

    def open(self, choice: AssistantChoice, progress: Progress) -> MappedAnswers:
        """See `Library.open`."""
        from rag.assistant import Assistant
        from rag.models.load import is_prepared
        from rag.pipeline.assemble import Parts

        chosen = {"passages_top_k": choice.papers, "strict": choice.strict, "generator": choice.generator}
        settings = self.settings.model_copy(update=chosen)
        with self._opening:
            if not is_prepared(settings):
                progress("preparing the reader, once", 0, 0)
            generator, generator_id = self._generator(settings)
            parts = Parts(embedder=self._shared_embedder(), generator=generator, generator_id=generator_id)
            version, index = self._indexes.get(choice.collection, (None, None))
            if index is not None and version == self.version(choice.collection):
                return Assistant.over(index, self._shared_embedder(), settings, parts)
            path = self._papers if choice.collection == DEFAULT else None
            assistant = Assistant.open(
                papers=path,
                collection=choice.collection,
                settings=settings,
                progress=progress,
                parts=parts,
                preload=True,
            )
            self._indexes[choice.collection] = self.version(choice.collection), assistant.index
            return assistant

    def add(self, papers: Sequence[Paper], collection: str, progress: Progress) -> IngestReport:
        """See `Library.add`.

        :raises ReadError: if the name could be a path, or is that of the papers that ship.
        :raises IndexBusy: if this collection is being written.
        """
        from rag.index.build import ingest_papers

        if collection == DEFAULT:
            raise ReadError("The papers that ship stay as they are.", hint="Choose another name.")
        with self._opening:
            embedder = self._shared_embedder()
        return ingest_papers(self._root(collection), papers, embedder, self.settings, progress=progress)

    def _root(self, collection: str) -> Path:
        from rag.ingest import collection_root

        return collection_root(self.settings, collection)

    def _shared_embedder(self) -> Embedder:
        from rag.ingest import open_embedder

        if self._embedder is None:
            self._embedder = open_embedder(self.settings)
        return self._embedder

    def _generator(self, settings: Settings) -> tuple[BaseChatModel | None, str]:
        from rag.models.load import load_generator

        if settings.generator not in self._generators:
            self._generators[settings.generator] = load_generator(settings)
        return self._generators[settings.generator]


class AssistantPool:
    """The assistant of each choice, opened in the background and again when its collection has changed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._known: OrderedDict[AssistantChoice, tuple[_Loading, list[str | None]]] = OrderedDict()

    def of(self, choice: AssistantChoice) -> _Loading:
        """The opening of a choice, begun if it is new or out of date; one that failed is left so."""
        with self._lock:
            opening, versions = self._known.get(choice, (None, []))
            if opening is None or (versions and versions[-1] != self._library.version(choice.collection)):
                versions = []
                opening = LoadingAssistant(partial(self._open, choice, versions))
                opening.start()
            self._known[choice] = opening, versions
            self._known.move_to_end(choice)
            while len(self._known) > _OPEN_MAX:
                self._known.popitem(last=False)
        return opening

    def _open(self, choice: AssistantChoice, versions: list[str | None], progress: Progress) -> MappedAnswers:
        assistant = self._library.open(choice, progress)
        versions.append(self._library.version(choice.collection))
        return assistant


def papers_in(root: Path) -> int | None:
    """How many papers the collection at `root` holds, by its manifest; None where there is none."""
    name = current_name(root)
    if not name:
        return None
    try:
        count = json.loads((root / name / "manifest.json").read_text(encoding="utf-8"))["papers"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return count if isinstance(count, int) else None
