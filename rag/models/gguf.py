"""Turns a GGUF file into a safetensors folder, once, in the user's cache, under a checksum."""

from __future__ import annotations

import logging
from pathlib import Path

from rag.errors import ModelCorrupt, ModelMissing
from rag.models.weights import ResolvedModel
from rag.storage.built import built_once, is_complete

_log = logging.getLogger(__name__)


def converted_folder(model: ResolvedModel, cache_dir: Path) -> Path:
    """The safetensors folder of a GGUF model, made on first use (about 15 s, 540 MB for SmolLM2-135M).

    :raises ModelCorrupt: if the GGUF cannot be read.
    :raises ModelMissing: if a package that reads it is not installed.
    """
    target = cache_dir / "models" / f"{model.path.stem}-{model.checksum[:12]}"
    if not is_complete(target):
        _log.warning("converting %s once into %s (about 15 s)", model.path.name, target)
        built_once(target, lambda folder: _convert(model.path, folder))
    return target


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    try:
        tokenizer = AutoTokenizer.from_pretrained(**source)
        model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    except ImportError as exc:  # transformers asks for packages when it needs them
        raise ModelMissing(str(exc), hint="Run: pip install gguf accelerate") from exc
    except (OSError, ValueError, RuntimeError) as exc:
        raise ModelCorrupt(
            f"{gguf}: not a GGUF file that transformers can read ({exc})",
            hint="Use the published file, or a safetensors folder.",
        ) from exc
    # The weights are plain float32 now; transformers still calls the model quantised and would
    # refuse to save it.
    model.hf_quantizer = None  # type: ignore[assignment]
    del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
