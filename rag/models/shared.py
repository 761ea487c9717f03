"""The trained cross-encoders (reranker, entailment), each opened once per process.

None where their weights are not here. Which weights they are is known at once; they are read when the model
is first asked, or by `load`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from rag.errors import ModelCorrupt
from rag.models.delta import merged
from rag.models.engines.encoder import HiddenStates, load_hidden
from rag.models.engines.threads import in_background
from rag.models.entailment import CrossEncoderEntailment
from rag.models.heads import HEADS_FILE
from rag.models.reranker import CrossEncoderReranker
from rag.models.weights import NONE, ResolvedModel, is_tuned, resolve
from rag.ports import Abstract
from rag.settings import Settings
from rag.types import Relevance

_Model = TypeVar("_Model")
_Shared = TypeVar("_Shared", "SharedReranker", "SharedEntailment")
_OPENING = threading.Lock()
_opened: dict[tuple[object, ...], Any] = {}  # small until they are loaded


class _Once(Generic[_Model]):
    """A model that is loaded when it is needed, once, whichever threads need it."""

    def __init__(self, open_model: Callable[[], _Model]) -> None:
        self._open_model = open_model
        self._model: _Model | None = None
        self._loading = threading.Lock()

    def load(self) -> _Model:
        """Read the weights now instead of at the first question.

        :raises ModelCorrupt: if the folder holds no usable model.
        """
        with self._loading:
            if self._model is None:
                self._model = self._open_model()
            return self._model


class SharedReranker(_Once[CrossEncoderReranker]):
    """The reranker of every assistant of this process that runs it alike."""

    def __init__(self, model: ResolvedModel, settings: Settings) -> None:
        super().__init__(partial(_open, CrossEncoderReranker, model, settings))

    def read(self, question: str, papers: Sequence[Abstract]) -> list[Relevance]:
        """See `Reranker.read`."""
        return self.load().read(question, papers)


class SharedEntailment(_Once[CrossEncoderEntailment]):
    """The verifier's model of every assistant of this process that runs it alike."""

    def __init__(self, model: ResolvedModel, settings: Settings) -> None:
        super().__init__(partial(_open, CrossEncoderEntailment, model, settings))

    def logits(self, claims: Sequence[tuple[str, str]]) -> list[float]:
        """See `CrossEncoderEntailment.logits`."""
        return self.load().logits(claims)


def load_reranker(settings: Settings) -> tuple[SharedReranker | None, str]:
    """The reranker of these settings and its checksum.

    :raises ModelMissing: if the base's weights are not on this machine.
    """
    return _shared(SharedReranker, settings.reranker, settings)


def load_entailment(settings: Settings) -> tuple[SharedEntailment | None, str]:
    """The verifier's model of these settings and its checksum.

    :raises ModelMissing: if the base's weights are not on this machine.
    """
    return _shared(SharedEntailment, settings.verifier, settings)


def preload_cross(settings: Settings, *, judging: bool) -> None:
    """Begin to load the reranker in the background, and then the judge if it will be asked."""
    in_background(partial(_load, settings, judging=judging))


def _load(settings: Settings, *, judging: bool) -> None:
    reranker, _ = load_reranker(settings)
    if reranker is not None:
        reranker.load()
    judge, _ = load_entailment(settings) if judging else (None, NONE)
    if judge is not None:
        judge.load()


def _shared(kind: type[_Shared], name: str, settings: Settings) -> tuple[_Shared | None, str]:
    """One for all settings that name the same weights and run them the same way."""
    if name == NONE:
        return None, NONE
    model = resolve(name, settings)
    if not is_tuned(model) and not (model.path / HEADS_FILE).is_file():
        return None, NONE
    key = (kind, model, settings.engine, settings.threads, settings.cache_dir)
    with _OPENING:
        if key not in _opened:
            _opened[key] = kind(model, settings)
        shared: _Shared = _opened[key]
    return shared, model.checksum


def _open(kind: Callable[[HiddenStates, Path], _Model], model: ResolvedModel, settings: Settings) -> _Model:
    whole = merged(model, settings.cache_dir)
    try:
        return kind(load_hidden(whole, settings), whole.path)
    except OSError as exc:
        raise ModelCorrupt(
            f"{whole.path}: not a usable cross-encoder ({exc})",
            hint="Run `citewise doctor` to see which models are usable.",
        ) from exc
