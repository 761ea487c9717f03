"""A Llama-shaped decoder as a stateful OpenVINO graph: the keys and values of what was read stay inside.

Inputs `input_ids` and `position_ids` (batch, new tokens), `attention_mask` (batch, all tokens so far),
`beam_idx` (batch): which row of the state each row goes on from, and `last`: of how many tokens, counted from
the end, the logits are wanted. Output: those logits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

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
    matrix,
    number_input,
    read_config,
    split_heads,
    window_of,
)

_ALL = 2**31 - 1  # "to the end" of a slice


def llama_supported(folder: Path) -> bool:
    """Whether a folder holds a decoder this file can build: plain rotary positions, SiLU, RMS norms.

    Qwen2 is one with biases, which its weights tell, and without a sliding window.
    """
    config = read_config(folder)
    return (
        config.get("model_type") in {"llama", "qwen2"}
        and not config.get("use_sliding_window")
        and config.get("hidden_act") == "silu"
        and not config.get("rope_scaling")
        and config.get("rope_parameters", {}).get("rope_type", "default") == "default"
    )


def rope_base(config: dict[str, Any]) -> float:
    """`rope_theta`, wherever this version of transformers wrote it."""
    found = config.get("rope_parameters") or {}
    return float(found.get("rope_theta") or config.get("rope_theta") or 10_000.0)


def llama_graph(folder: Path, precision: Precision) -> Any:  # noqa: ANN401 - an openvino.Model
    """The graph of a folder.

    :raises OSError, KeyError: if the folder lacks weights.
    """
    import openvino
    import openvino.opset15 as ops

    config = read_config(folder)
    layers = Layers(Weights(folder), precision)
    ids, mask, positions = (number_input(name) for name in ("input_ids", "attention_mask", "position_ids"))
    rows = number_input("beam_idx", rank=1, kind=np.int32)
    wanted = number_input("last", rank=1)
    attention = _Attention(layers, config, _bias(ids, mask), _rotation(positions, config), rows)
    x = layers.rows("model.embed_tokens.weight", ids)
    for number in range(config["num_hidden_layers"]):
        x = _block(layers, f"model.layers.{number}", x, attention, config["rms_norm_eps"])
    first = ops.multiply(wanted, integers([-1]))
    last = ops.slice(x, first, integers([_ALL]), integers([1]), integers([1]))
    last = layers.rms_norm(last, "model.norm", config["rms_norm_eps"])
    tied = "lm_head.weight" not in layers.weights
    head = layers.weights["model.embed_tokens.weight" if tied else "lm_head.weight"]
    logits = ops.matmul(last, matrix(head, precision), False, True)
    inputs = [ids, mask, positions, rows, wanted]
    return openvino.Model([ops.result(logits)], attention.writes, inputs, "llama")


def _block(layers: Layers, name: str, x: Node, attention: _Attention, epsilon: float) -> Node:
    import openvino.opset15 as ops

    read = attention(layers.rms_norm(x, f"{name}.input_layernorm", epsilon), f"{name}.self_attn")
    x = ops.add(x, read)
    inner = layers.rms_norm(x, f"{name}.post_attention_layernorm", epsilon)
    gate = ops.swish(layers.linear(inner, f"{name}.mlp.gate_proj"))
    inner = ops.multiply(gate, layers.linear(inner, f"{name}.mlp.up_proj"))
    return ops.add(x, layers.linear(inner, f"{name}.mlp.down_proj"))


def _bias(ids: Node, mask: Node) -> Node:
    """(batch, 1, new, all): 0 where a new token may look, a very low number where it may not."""
    import openvino.opset15 as ops

    new, everything = (ops.squeeze(length(x, 1), integers([0])) for x in (ids, mask))
    columns = ops.range(integers(0), everything, integers(1), "i64")
    rows = ops.range(ops.subtract(everything, new), everything, integers(1), "i64")
    past = ops.less_equal(ops.unsqueeze(columns, integers([0])), ops.unsqueeze(rows, integers([1])))
    real = ops.unsqueeze(ops.convert(mask, "boolean"), integers([1, 2]))
    seen = ops.logical_and(ops.unsqueeze(past, integers([0, 1])), real)
    return ops.select(seen, constant(0.0), constant(MASKED))


def _rotation(positions: Node, config: dict[str, Any]) -> tuple[Node, Node]:
    """Cosine and sine of the rotary angles, (batch, 1, new, width).

    Looked up, not computed: a position times a frequency is far off in bfloat16, a cosine is not.
    """
    import openvino.opset15 as ops

    width = _head_width(config)
    turns = rope_base(config) ** (-np.arange(0, width, 2) / width)
    half = np.arange(window_of(config))[:, None] * turns
    angles = np.concatenate([half, half], axis=1)
    cosine, sine = (
        ops.unsqueeze(ops.gather(constant(table), positions, integers(0)), integers([1]))
        for table in (np.cos(angles), np.sin(angles))
    )
    return cosine, sine


def _head_width(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


@dataclass(frozen=True, slots=True)
class _Attention:
    """Self-attention over all that was read; `writes` collects what the graph puts into its state."""

    layers: Layers
    config: dict[str, Any]
    bias: Node
    rotation: tuple[Node, Node]
    rows: Node
    writes: list[Node] = field(default_factory=list)

    def __call__(self, x: Node, name: str) -> Node:
        import openvino.opset15 as ops

        heads, width = self.config["num_attention_heads"], _head_width(self.config)
        groups = self.config["num_key_value_heads"]
        query = self._turned(split_heads(self.layers.linear(x, f"{name}.q_proj"), heads, width), width)
        key = self._turned(split_heads(self.layers.linear(x, f"{name}.k_proj"), groups, width), width)
        value = split_heads(self.layers.linear(x, f"{name}.v_proj"), groups, width)
        key, value = (
            self._shared(self._remembered(new, f"{name}.{part}", x))
            for new, part in ((key, "key"), (value, "value"))
        )
        read = ops.scaled_dot_product_attention(query, key, value, self.bias)
        return self.layers.linear(join_heads(read, heads, width), f"{name}.o_proj")

    def _turned(self, x: Node, width: int) -> Node:
        """Rotary positions: x * cos + (second half negated, first half) * sin."""
        import openvino.opset15 as ops

        cosine, sine = self.rotation
        middle, step, axis = integers([width // 2]), integers([1]), integers([3])
        first = ops.slice(x, integers([0]), middle, step, axis)
        second = ops.slice(x, middle, integers([_ALL]), step, axis)
        crossed = ops.concat([ops.multiply(second, constant(-1.0)), first], -1)
        return ops.add(ops.multiply(x, cosine), ops.multiply(crossed, sine))

    def _remembered(self, new: Node, name: str, x: Node) -> Node:
        """What the state holds for these rows, and the new after it; written back."""
        import openvino
        import openvino.opset15 as ops
        from openvino.op.util import Variable, VariableInfo

        groups, width = self.config["num_key_value_heads"], _head_width(self.config)
        info = VariableInfo()
        info.data_shape = openvino.PartialShape([-1, groups, -1, width])
        info.data_type = openvino.Type.f32
        info.variable_id = name
        variable = Variable(info)
        nothing = ops.concat([length(x, 0), integers([groups]), integers([0]), integers([width])], 0)
        past = ops.read_value(ops.broadcast(constant(0.0), nothing), variable)
        whole = ops.concat([ops.gather(past, self.rows, integers(0)), new], 2)
        self.writes.append(ops.assign(whole, variable))
        return whole

    def _shared(self, x: Node) -> Node:
        """Each key or value head, repeated for the query heads that share it."""
        import openvino.opset15 as ops

        heads, groups = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        if heads == groups:
            return x
        width = _head_width(self.config)
        apart = ops.unsqueeze(x, integers([2]))
        shape = [
            length(x, 0),
            integers([groups]),
            integers([heads // groups]),
            length(x, 2),
            integers([width]),
        ]
        wide = ops.broadcast(apart, ops.concat(shape, 0), broadcast_spec="BIDIRECTIONAL")
        return ops.reshape(wide, integers([0, heads, -1, width]), True)
