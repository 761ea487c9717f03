"""Parts of OpenVINO graphs: weights from safetensors, linear layers, embeddings, attention heads.

Graphs are built operator by operator instead of traced from torch: nothing is imported but OpenVINO, the
result is the same on every machine, and int8 weights need no calibration tool. Weights are rounded in
groups of 64 along the input (symmetric, a float scale each): one scale a row costs twice the error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Node = Any  # an OpenVINO operator or its output; the stubs know neither shapes nor overloads
Floats = NDArray[np.float32]
Precision = Literal["int8", "float16"]

GROUP = 64  # weights that share a scale
WINDOW_MAX = 16_384  # tokens: the evidence of a question has some hundreds
MASKED = -65504.0  # added to the score of what must not be seen: exp() of it is 0, and no row becomes nan


class Weights:
    """The tensors of every safetensors file in a folder, as float32, read when asked for."""

    def __init__(self, folder: Path) -> None:
        """:raises OSError: if there is no such file."""
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise OSError(f"no safetensors file in {folder}")
        self._files = {name: file for file in files for name in _opened(file, "np").keys()}  # noqa: SIM118
        self._open = {file: _opened(file, "np") for file in files}

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def __getitem__(self, name: str) -> Floats:
        """:raises KeyError: if no file holds it."""
        file = self._files[name]
        if self._open[file].get_slice(name).get_dtype() == "BF16":  # numpy has none; torch takes seconds
            return np.asarray(_opened(file, "pt").get_tensor(name).float().numpy(), dtype=np.float32)
        return np.asarray(self._open[file].get_tensor(name), dtype=np.float32)


def _opened(file: Path, framework: str) -> Any:  # noqa: ANN401 - the library has no types
    from safetensors import safe_open

    return safe_open(file, framework=framework)


@dataclass(frozen=True, slots=True)
class Layers:
    """Layers over one model's weights, kept in one precision."""

    weights: Weights
    precision: Precision

    def linear(self, x: Node, name: str) -> Node:
        """X @ weight.T, plus the bias where there is one."""
        import openvino.opset15 as ops

        product = ops.matmul(x, matrix(self.weights[f"{name}.weight"], self.precision), False, True)
        bias = f"{name}.bias"
        return ops.add(product, constant(self.weights[bias])) if bias in self.weights else product

    def rows(self, table: str, ids: Node) -> Node:
        """Rows of an embedding table, kept as float16: int8 rows cost more accuracy than they save."""
        import openvino.opset15 as ops

        return ops.gather(matrix(self.weights[table], "float16"), ids, integers(0))

    def layer_norm(self, x: Node, name: str, epsilon: float) -> Node:
        """Layer normalisation over the last axis."""
        import openvino.opset15 as ops

        even = ops.mvn(x, integers([-1]), True, epsilon, "inside_sqrt")
        scaled = ops.multiply(even, constant(self.weights[f"{name}.weight"]))
        return ops.add(scaled, constant(self.weights[f"{name}.bias"]))

    def rms_norm(self, x: Node, name: str, epsilon: float) -> Node:
        """Root mean square normalisation over the last axis."""
        import openvino.opset15 as ops

        square = ops.reduce_mean(ops.power(x, constant(2.0)), integers([-1]), True)
        even = ops.divide(x, ops.sqrt(ops.add(square, constant(epsilon))))
        return ops.multiply(even, constant(self.weights[f"{name}.weight"]))


def int8_groups(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """(rounded values, scales): weight (out, in) is about values * scales, shapes (out, groups, -1|1)."""
    rows, width = weight.shape
    grouped = weight.reshape(rows, width // GROUP if width % GROUP == 0 else 1, -1)
    largest = np.abs(grouped).max(axis=2, keepdims=True)
    scales = np.maximum(largest, np.finfo(np.float32).tiny * 127) / 127
    return np.round(grouped / scales).astype(np.int8), scales.astype(np.float32)


def matrix(weight: Floats, precision: Precision) -> Node:
    """A weight matrix, stored small and read as float32."""
    import openvino.opset15 as ops

    if precision == "float16":
        return ops.convert(ops.constant(weight.astype(np.float16)), "f32")
    values, scales = int8_groups(weight)
    wide = ops.multiply(ops.convert(ops.constant(values), "f32"), ops.constant(scales))
    return ops.reshape(wide, integers(weight.shape), False)


def constant(value: ArrayLike) -> Node:
    """A float32 constant."""
    import openvino.opset15 as ops

    return ops.constant(np.asarray(value, dtype=np.float32))


def integers(value: ArrayLike) -> Node:
    """An int64 constant."""
    import openvino.opset15 as ops

    return ops.constant(np.asarray(value, dtype=np.int64))


def number_input(name: str, *, rank: int = 2, kind: type[np.integer[Any]] = np.int64) -> Node:
    """An input of whole numbers whose every dimension may vary."""
    import openvino.opset15 as ops

    node = ops.parameter([-1] * rank, np.dtype(kind), name=name)
    node.output(0).set_names({name})
    return node


def length(x: Node, axis: int) -> Node:
    """The size of one axis, as a vector of one."""
    import openvino.opset15 as ops

    return ops.gather(ops.shape_of(x), integers([axis]), integers(0))


def split_heads(x: Node, heads: int, width: int) -> Node:
    """(batch, tokens, heads * width) -> (batch, heads, tokens, width)."""
    import openvino.opset15 as ops

    return ops.transpose(ops.reshape(x, integers([0, 0, heads, width]), True), integers([0, 2, 1, 3]))


def join_heads(x: Node, heads: int, width: int) -> Node:
    """(batch, heads, tokens, width) -> (batch, tokens, heads * width)."""
    import openvino.opset15 as ops

    return ops.reshape(ops.transpose(x, integers([0, 2, 1, 3])), integers([0, 0, heads * width]), True)


def window_of(config: dict[str, Any]) -> int:
    """How many tokens a causal model may read at once, here at most `WINDOW_MAX`.

    :raises KeyError: if the configuration does not say.
    """
    return min(int(config["max_position_embeddings"]), WINDOW_MAX)


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a model folder; empty when it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
