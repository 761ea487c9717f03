"""Small causal models with random weights and a token a word: what the engines are compared on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from rag.models.engines.causal import load_causal
from rag.models.engines.chat_template import ChatTokens
from rag.models.engines.compiled import compiled
from rag.models.engines.kv_cache import PrefixStore
from rag.models.engines.openvino_decoder import OpenVinoDecoder
from rag.models.engines.torch_decoder import TorchDecoder
from rag.models.weights import ResolvedModel

WORDS = [f"w{number}" for number in range(60)]
WINDOW = 96
TEMPLATE = (
    "{% for m in messages %}<s> {{ m['role'] }} {{ m['content'] }} </s>{% endfor %}"
    "{% if add_generation_prompt %}<s> assistant {% endif %}"
)
Family = Literal["llama", "qwen2"]


def small_decoder(family: Family, folder: Path) -> Path:
    """A model folder; Qwen's has the biases that Qwen has, and its output is its embedding."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import (
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    names = ["<s>", "</s>", "[UNK]", "user", "assistant", "system", *WORDS]
    tokenizer = Tokenizer(WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="[UNK]"
    )
    fast.chat_template = TEMPLATE
    shape = {
        "vocab_size": len(names), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": WINDOW,
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "initializer_range": 0.2,
    }  # fmt: skip
    torch.manual_seed(7)
    model: Any
    if family == "llama":
        model = LlamaForCausalLM(LlamaConfig(**shape, tie_word_embeddings=False))
    else:
        model = Qwen2ForCausalLM(Qwen2Config(**shape, tie_word_embeddings=True))
        biases = [own for name, own in model.named_parameters() if name.endswith(".bias")]
        assert len(biases) == 6  # of query, key and value, in each of two layers
        for own in biases:
            torch.nn.init.normal_(own, std=0.5)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def torch_decoder(folder: Path) -> TorchDecoder:
    """The reference. Its tokenizer is read by name: for Qwen's models transformers would take Qwen's."""
    from transformers import PreTrainedTokenizerFast

    model, _ = load_causal(str(folder), None)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.eos_token
    return TorchDecoder(model, tokenizer)


def openvino_decoder(folder: Path, cache: Path, prefixes: PrefixStore | None = None) -> OpenVinoDecoder:
    """The same model as a graph."""
    model = ResolvedModel(folder.name, folder, "0" * 64)
    graph = compiled(model, "decoder", cache_dir=cache, threads=1)
    return OpenVinoDecoder(graph, ChatTokens(folder), prefixes)


def store(folder: Path) -> PrefixStore:
    """Room enough for all that a test reads."""
    return PrefixStore(folder, disk_bytes=1 << 24, memory_bytes=1 << 24)
