"""Turns a GGUF file into a safetensors folder, once, in the user's cache, under a checksum.

The folder is built beside its final place and renamed when its manifest is written, so a killed
conversion leaves nothing that looks complete.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from rag.errors import ModelCorrupt, ModelMissing
from rag.models.weights import ResolvedModel
from rag.storage.checksums import remembered_sha256, sha256_of

_log = logging.getLogger(__name__)
_MANIFEST = "citewise-conversion.json"
_FORMAT = 1


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


def built_once(target: Path, fill: Callable[[Path], None]) -> None:
    """Make `target` with `fill` unless it is there and whole; it appears complete or not at all."""
    if is_complete(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fill(partial)
        _write_manifest(partial)
        if target.exists():
            shutil.rmtree(target)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_complete(folder: Path) -> bool:
    """True when the manifest is there and every file it names has its size and sha256."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT:
            return False
        return all(
            remembered_sha256(folder / name, folder.parent) == digest
            for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


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


def _write_manifest(folder: Path) -> None:
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    text = json.dumps({"format": _FORMAT, "files": files}, indent=1)
    (folder / _MANIFEST).write_text(text, encoding="utf-8")
