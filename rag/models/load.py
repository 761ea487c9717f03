"""Causal models, each opened once per process: the generator, and the reader that ranking and checking ask.

The generator is none, a local one, or any provider's through LangChain.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from rag.errors import ModelMissing
from rag.models.delta import merged
from rag.models.engines.choose import engine_for
from rag.models.engines.decoder import Reading
from rag.models.engines.threads import in_background
from rag.models.generator import LocalChatModel
from rag.models.gguf import converted_folder, is_converted
from rag.models.openings import NOT_TOLD
from rag.models.weights import NONE, ResolvedModel, available, is_tuned, resolve
from rag.settings import Settings

_log = logging.getLogger(__name__)
_OPENING = threading.Lock()


def load_generator(settings: Settings) -> tuple[BaseChatModel | None, str]:
    """The generator of these settings and what identifies it; None when answers are quotes only.

    `provider:model` (for instance `ollama:llama3.2`) goes through LangChain's `init_chat_model`.

    :raises ModelMissing: if a local model, or the provider's package, is not installed.
    """
    if settings.generator == NONE:
        return None, NONE
    if ":" in settings.generator and not settings.generator.startswith((".", "/")):
        return _provider_model(settings.generator), settings.generator
    return _local_model(settings.generator, settings)


class SharedReader:
    """The model that reads papers; opened when it is first asked.

    Where it is the generator, too, it is one and the same.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._model: LocalChatModel | None = None

    def load(self) -> LocalChatModel:
        """Open the model and read its weights.

        :raises ModelCorrupt: if the folder holds no usable model.
        """
        if self._model is None:
            self._model, _ = _local_model(self._name, self._settings)
            self._model.load()
        return self._model

    def readings(self, conversations: Sequence[Sequence[BaseMessage]], first: Sequence[str]) -> list[Reading]:
        """See `LocalChatModel.readings`."""
        return self.load().readings(conversations, first)

    def write(self, conversations: Sequence[Sequence[BaseMessage]]) -> list[str]:
        """See `TextWriter.write`."""
        told = self.load().generate([list(messages) for messages in conversations])
        return [row[0].text for row in told.generations]


def load_reader(settings: Settings) -> tuple[SharedReader | None, str]:
    """The reader of these settings and its checksum; None where none is wanted or its weights are missing."""
    if settings.reader == NONE:
        return None, NONE
    try:
        return SharedReader(settings.reader, settings), resolve(settings.reader, settings).checksum
    except ModelMissing as exc:  # what is fitted on the reader's signals does not hold for the small one's
        _log.warning("papers are ordered, and answers judged, without a reader: %s", exc.message)
        return None, NONE


@dataclass(frozen=True, slots=True)
class _Run:
    """A model and how it is run; what else the settings say makes no other model of it."""

    found: ResolvedModel
    engine: str
    threads: int | None
    tokens_max: int
    read_ahead_mb: int
    cache_dir: Path
    settings: Settings = field(compare=False)


def _local_model(name: str, settings: Settings) -> tuple[LocalChatModel, str]:
    """Opened once per process for all settings that run it alike: it can be loaded beside everything else."""
    usable = available(name, settings)
    if usable != name:
        _log.warning("the weights of %s are not on this machine: %s answers instead", name, usable)
    found = resolve(usable, settings)
    run = _Run(
        found,
        settings.engine,
        settings.threads,
        settings.draft_tokens_max,
        settings.read_ahead_mb,
        settings.cache_dir,
        settings,
    )
    with _OPENING:
        model = _opened(run)
    return model, f"{found.checksum} {model.engine}"


@lru_cache(maxsize=2)
def _opened(run: _Run) -> LocalChatModel:
    found, settings = run.found, run.settings
    folder = _folder(found, settings)
    engine = engine_for(folder, "decoder", settings)
    return LocalChatModel(
        model_folder=str(folder),
        max_tokens=settings.draft_tokens_max,
        threads=settings.threads,
        engine=engine,
        checksum=found.checksum,
        cache_dir=settings.cache_dir,
        read_ahead_mb=settings.read_ahead_mb,
        never_first=NOT_TOLD if is_tuned(found) else "",
    )


def is_prepared(settings: Settings) -> bool:
    """Whether the local generator of these settings can be opened without being converted first: a minute."""
    if settings.generator == NONE or ":" in settings.generator:
        return True
    return is_converted(resolve(available(settings.generator, settings), settings), settings.cache_dir)


def preload_generator(settings: Settings) -> None:
    """Begin to load a local generator in the background; what fails is told when it is asked to write."""
    if settings.strict or settings.generator == NONE:
        return
    in_background(partial(_load, settings))


def preload_reader(settings: Settings) -> None:
    """The same for the reader; nothing is loaded twice."""
    model, _ = load_reader(settings)
    if model is not None:
        in_background(model.load)


def _load(settings: Settings) -> None:
    model, _ = load_generator(settings)
    if isinstance(model, LocalChatModel):
        model.load()


def _folder(found: ResolvedModel, settings: Settings) -> Path:
    """A folder that transformers reads, the delta in it: converted from GGUF, or merged, where need be."""
    if found.path.is_file():
        return converted_folder(found, settings.cache_dir)
    return merged(found, settings.cache_dir).path


def _provider_model(name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(name, temperature=0)
    except (ImportError, ValueError) as exc:
        raise ModelMissing(
            f"the generator {name!r} cannot be opened: {exc}",
            hint="Install the provider's LangChain package, or use a local model.",
        ) from exc
