"""Reads a causal language model and its tokenizer from a folder: safetensors only, no remote code."""

from __future__ import annotations

from typing import Any

from rag.errors import ModelCorrupt
from rag.models.engines.threads import set_torch_threads


def load_causal(folder: str, threads: int | None) -> tuple[Any, Any]:
    """(model in evaluation mode, float32; tokenizer padding on the left).

    :raises ModelCorrupt: if the folder holds no usable model.
    """
    import torch
    import transformers

    set_torch_threads(threads)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            attn_implementation="sdpa",
            **options,
        )
    except (OSError, ValueError, RuntimeError) as exc:
        raise ModelCorrupt(
            f"{folder}: not a usable causal language model ({exc})",
            hint="Run `citewise doctor` to see which models are usable.",
        ) from exc
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = tokenizer.eos_token_id
    return model.eval(), tokenizer  # type: ignore[no-untyped-call]
