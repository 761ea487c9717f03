"""Which chat model writes the drafts: none, a local one, or any provider's through LangChain."""

from __future__ import annotations

from pathlib import Path

from langchain_core.language_models import BaseChatModel

from rag.errors import ModelMissing
from rag.models.convert import converted_folder
from rag.models.engine import engine_for
from rag.models.generator import LocalChatModel
from rag.models.resolve import QUOTES_ONLY, ResolvedModel, resolve
from rag.settings import Settings


def load_generator(settings: Settings) -> tuple[BaseChatModel | None, str]:
    """The generator of these settings and what identifies it; None when answers are quotes only.

    `provider:model` (for instance `ollama:llama3.2`) goes through LangChain's `init_chat_model`.

    :raises ModelMissing: if a local model, or the provider's package, is not installed.
    """
    if settings.generator == QUOTES_ONLY:
        return None, QUOTES_ONLY
    if ":" in settings.generator and not settings.generator.startswith((".", "/")):
        return _provider_model(settings.generator), settings.generator
    found = resolve(settings.generator, settings)
    folder = _folder(found, settings)
    engine = engine_for(folder, "decoder", settings)
    model = LocalChatModel(
        model_folder=str(folder),
        max_tokens=settings.draft_tokens_max,
        threads=settings.threads,
        engine=engine,
        checksum=found.checksum,
        cache_dir=settings.cache_dir,
    )
    return model, f"{found.checksum} {engine}"


def _folder(found: ResolvedModel, settings: Settings) -> Path:
    return converted_folder(found, settings.cache_dir) if found.path.is_file() else found.path


def _provider_model(name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(name, temperature=0)
    except (ImportError, ValueError) as exc:
        raise ModelMissing(
            f"the generator {name!r} cannot be opened: {exc}",
            hint="Install the provider's LangChain package, or use a local model.",
        ) from exc
