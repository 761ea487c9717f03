"""BERT as an OpenVINO graph: token ids, mask and types -> the last hidden state, any batch and length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.models.engines.graph import (
    MASKED,
    Layers,
    Node,
    Precision,
    Weights,
    constant,
    integers,
    join_heads,
    length,
    number_input,
    read_config,
    split_heads,
)


def bert_supported(folder: Path) -> bool:
    """Whether a folder holds a BERT this file can build: absolute positions, GELU."""
    config = read_config(folder)
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )


def bert_graph(folder: Path, precision: Precision) -> Any:  # noqa: ANN401 - an openvino.Model
    """Inputs `ids`, `mask`, `types` (batch, tokens); output (batch, tokens, width).

    :raises OSError, KeyError: if the folder lacks weights.
    """
    import openvino
    import openvino.opset15 as ops

    config, weights = read_config(folder), Weights(folder)
    prefix = "bert." if "bert.embeddings.word_embeddings.weight" in weights else ""
    layers = Layers(weights, precision)
    ids, mask, types = (number_input(name) for name in ("ids", "mask", "types"))
    x = _embedded(layers, f"{prefix}embeddings", ids, types, config["layer_norm_eps"])
    seen = ops.unsqueeze(ops.convert(mask, "boolean"), integers([1, 2]))
    bias = ops.select(seen, constant(0.0), constant(MASKED))
    for number in range(config["num_hidden_layers"]):
        x = _block(layers, f"{prefix}encoder.layer.{number}", x, bias, config)
    return openvino.Model([ops.result(x)], [ids, mask, types], "bert")


def _embedded(layers: Layers, name: str, ids: Node, types: Node, epsilon: float) -> Node:
    import openvino.opset15 as ops

    positions = ops.range(integers(0), ops.squeeze(length(ids, 1), integers([0])), integers(1), "i64")
    x = ops.add(
        layers.rows(f"{name}.word_embeddings.weight", ids),
        layers.rows(f"{name}.token_type_embeddings.weight", types),
    )
    placed = layers.rows(f"{name}.position_embeddings.weight", ops.unsqueeze(positions, integers([0])))
    return layers.layer_norm(ops.add(x, placed), f"{name}.LayerNorm", epsilon)


def _block(layers: Layers, name: str, x: Node, bias: Node, config: dict[str, Any]) -> Node:
    """Self-attention and the two-layer network, each added to what came in and normalised."""
    import openvino.opset15 as ops

    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    width = config["hidden_size"] // heads
    query, key, value = (
        split_heads(layers.linear(x, f"{name}.attention.self.{part}"), heads, width)
        for part in ("query", "key", "value")
    )
    read = join_heads(ops.scaled_dot_product_attention(query, key, value, bias), heads, width)
    x = ops.add(x, layers.linear(read, f"{name}.attention.output.dense"))
    x = layers.layer_norm(x, f"{name}.attention.output.LayerNorm", epsilon)
    inner = ops.gelu(layers.linear(x, f"{name}.intermediate.dense"), "erf")
    x = ops.add(x, layers.linear(inner, f"{name}.output.dense"))
    return layers.layer_norm(x, f"{name}.output.LayerNorm", epsilon)
