"""Which chat model writes the drafts: none, a local one, or any provider's through LangChain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from rag.errors import ModelMissing
from rag.models.convert import converted_folder
from rag.models.generator import LocalChatModel
from rag.models.merge import merged
from rag.models.resolve import NONE, ResolvedModel, is_tuned, resolve
from rag.settings import Settings


def load_generator(settings: Settings) -> tuple[BaseChatModel | None, str]:
    """The generator of these settings and what identifies it; None when answers are quotes only.

    `provider:model` (for instance `ollama:llama3.2`) goes through LangChain's `init_chat_model`.

    :raises ModelMissing: if a local model, or the provider's package, is not installed.
    """
    if settings.generator == NONE:
        return None, NONE
    if ":" in settings.generator and not settings.generator.startswith((".", "/")):
        return _provider_model(settings.generator), settings.generator
    found = resolve(settings.generator, settings)
    model = LocalChatModel(
        model_folder=str(_folder(found, settings)),
        max_tokens=settings.draft_tokens_max,
        threads=settings.threads,
        trained=is_tuned(found),
    )
    return model, found.checksum


def _folder(found: ResolvedModel, settings: Settings) -> Path:
    """A folder that transformers reads: converted from GGUF and merged with its delta where need be."""
    if found.path.is_file():
        base = replace(found, checksum=found.base_checksum or found.checksum, delta=None)
        found = replace(found, path=converted_folder(base, settings.cache_dir))
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
