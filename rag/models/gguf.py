"""Turns a GGUF file into a safetensors folder, once, in the user's cache, under a checksum."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from rag.errors import ModelCorrupt, ModelMissing
from rag.models.delta import apply_delta
from rag.models.weights import ResolvedModel
from rag.storage.built import built_once, is_complete

_log = logging.getLogger(__name__)
_GROWTH = 6  # bytes on the disk for each of the file: the joined file, its weights, their graph
_COPIED_BYTES = 1 << 22


def converted_folder(model: ResolvedModel, cache_dir: Path) -> Path:
    """The safetensors folder of a GGUF model, its delta in it, made on first use; weights in bfloat16.

    15 s and 270 MB for SmolLM2-135M, a minute and 1.3 GB for Qwen2.5-Coder-0.5B.

    :raises ModelCorrupt: if the GGUF cannot be read, or the delta does not fit it.
    :raises ModelMissing: if a package that reads it is not installed, or the disk has no room.
    """
    target = _target(model, cache_dir)
    if not is_complete(target):
        _check_room(model, cache_dir)
        _log.warning("converting %s once into %s (up to a minute)", model.name, target)
        built_once(target, lambda folder: _fill(model, folder))
    return target


def is_converted(model: ResolvedModel, cache_dir: Path) -> bool:
    """Whether `converted_folder` has nothing to do: there is no GGUF, or it was converted before."""
    return not model.path.is_file() or is_complete(_target(model, cache_dir))


def _target(model: ResolvedModel, cache_dir: Path) -> Path:
    name = Path(model.name).name.removesuffix(".gguf")
    return cache_dir / "models" / f"{name}-{model.checksum[:12]}"


def _check_room(model: ResolvedModel, cache_dir: Path) -> None:
    """:raises ModelMissing: if the disk cannot hold what is made of the file."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    wanted = _GROWTH * sum(part.stat().st_size for part in model.parts or (model.path,))
    free = shutil.disk_usage(cache_dir).free
    if free < wanted:
        raise ModelMissing(
            f"{cache_dir}: {model.name} takes {wanted / 1e9:.1f} GB there, {free / 1e9:.1f} GB are free",
            hint="Make room, set CITEWISE_CACHE_DIR, or CITEWISE_GENERATOR=citewise-reader-small.",
        )


def _fill(model: ResolvedModel, folder: Path) -> None:
    """Join the parts where there are several, convert, and leave nothing else behind."""
    if not model.parts:
        _convert(model.path, model.delta, folder)
        return
    whole = folder / "whole.gguf"
    with whole.open("wb") as file:
        for part in model.parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, file, _COPIED_BYTES)
    _convert(whole, model.delta, folder)
    whole.unlink()


def _convert(gguf: Path, delta: Path | None, folder: Path) -> None:
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
    if delta is not None:
        apply_delta(dict(model.named_parameters()), delta)
    model.to(torch.bfloat16).save_pretrained(folder)  # type: ignore[arg-type]
    tokenizer.save_pretrained(folder)
