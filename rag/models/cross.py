"""Opens the trained cross-encoders; None, with a note, where their weights are not here."""

from __future__ import annotations

from rag.models.heads import HEADS_FILE
from rag.models.hidden import load_hidden
from rag.models.judge import CrossJudge
from rag.models.merge import merged
from rag.models.reranker import CrossReader
from rag.models.resolve import NONE, ResolvedModel, is_tuned, resolve
from rag.settings import Settings


def load_reranker(settings: Settings) -> tuple[CrossReader | None, str]:
    """The reranker of these settings and its checksum.

    :raises ModelMissing: if the base's weights are not on this machine.
    """
    found = _found(settings.reranker, settings)
    return (CrossReader(load_hidden(found, settings), found.path), found.checksum) if found else (None, NONE)


def load_judge(settings: Settings) -> tuple[CrossJudge | None, str]:
    """The verifier's model of these settings and its checksum.

    :raises ModelMissing: if the base's weights are not on this machine.
    """
    found = _found(settings.verifier, settings)
    return (CrossJudge(load_hidden(found, settings), found.path), found.checksum) if found else (None, NONE)


def _found(name: str, settings: Settings) -> ResolvedModel | None:
    if name == NONE:
        return None
    model = resolve(name, settings)
    if is_tuned(model):
        return merged(model, settings.cache_dir)
    return model if (model.path / HEADS_FILE).is_file() else None
