"""OpenVINO graphs against the torch modules they stand for, on small models with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag.models.engines.bert_graph import bert_supported
from rag.models.engines.choose import engine_for, precision_for
from rag.models.engines.compiled import graph_folder
from rag.models.engines.encoder import load_hidden
from rag.models.engines.graph import int8_groups, read_config
from rag.models.engines.llama_graph import llama_supported, rope_base
from rag.models.engines.tokens import batches_by_length, filled
from rag.models.weights import ResolvedModel
from rag.settings import Settings


def test_a_group_of_weights_shares_a_scale():
    weight = np.array([[127.0, -63.5, 0.4, 1.0] + [0.0] * 60 + [2.54] * 64], dtype=np.float32)
    values, scales = int8_groups(weight)
    assert values.shape == (1, 2, 64)
    assert scales.shape == (1, 2, 1)
    assert scales.ravel() == pytest.approx([1.0, 0.02])
    assert values[0, 0, :4].tolist() == [127, -64, 0, 1]
    assert values[0, 1].tolist() == [127] * 64


def test_a_width_that_no_group_divides_is_one_group():
    values, scales = int8_groups(np.zeros((3, 50), dtype=np.float32))
    assert values.shape == (3, 1, 50)
    assert (values == 0).all()
    assert (scales > 0).all()


def test_texts_of_like_length_are_read_together():
    assert batches_by_length([3, 9, 1, 8], tokens_max=18) == [[1, 3], [0, 2]]
    assert batches_by_length([5, 5, 5], tokens_max=10) == [[0, 1], [2]]
    assert batches_by_length([100], tokens_max=10) == [[0]]
    assert batches_by_length([]) == []
    assert batches_by_length([7, 10, 6], share_min=0.7) == [[1, 0], [2]]


def test_rows_are_filled_up():
    numbers, mask = filled([[7, 8, 9], [5]])
    assert numbers.tolist() == [[7, 8, 9], [5, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    numbers, mask = filled([[7, 8, 9], [5]], left=True, filler=2)
    assert numbers.tolist() == [[7, 8, 9], [2, 2, 5]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert filled([])[0].shape == (0, 0)


def test_the_base_of_rotary_positions_is_found_where_each_version_writes_it():
    assert rope_base({"rope_parameters": {"rope_theta": 100000.0}}) == 100000.0
    assert rope_base({"rope_theta": 500000}) == 500000.0
    assert rope_base({}) == 10000.0


@pytest.mark.parametrize(
    ("config", "bert", "llama"),
    [
        ({"model_type": "bert", "hidden_act": "gelu"}, True, False),
        ({"model_type": "bert", "hidden_act": "relu"}, False, False),
        ({"model_type": "bert", "hidden_act": "gelu", "is_decoder": True}, False, False),
        ({"model_type": "llama", "hidden_act": "silu"}, False, True),
        ({"model_type": "llama", "hidden_act": "silu", "rope_scaling": {"factor": 2.0}}, False, False),
        (
            {"model_type": "llama", "hidden_act": "silu", "rope_parameters": {"rope_type": "yarn"}},
            False,
            False,
        ),
        ({"model_type": "qwen2", "hidden_act": "silu", "use_sliding_window": False}, False, True),
        ({"model_type": "qwen2", "hidden_act": "silu", "use_sliding_window": True}, False, False),
        ({"model_type": "qwen3"}, False, False),
    ],
)
def test_what_can_be_built(tmp_path: Path, config: dict[str, object], bert: bool, llama: bool):
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert (bert_supported(tmp_path), llama_supported(tmp_path)) == (bert, llama)
    expected = "openvino" if bert else "torch"
    assert engine_for(tmp_path, "encoder", Settings()) == expected
    assert engine_for(tmp_path, "encoder", Settings(engine="torch")) == "torch"


def test_a_folder_without_configuration_is_not_supported(tmp_path: Path):
    assert read_config(tmp_path) == {}
    assert not bert_supported(tmp_path)


@pytest.fixture(scope="module")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> ResolvedModel:
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=90, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=128, max_position_embeddings=40,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("bert")
    BertModel(config).save_pretrained(folder)
    return ResolvedModel("small", folder, "0" * 64)


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_both_engines_see_the_same(
    small_bert: ResolvedModel, precision: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rag.models.engines.compiled.precision_for", lambda role: precision)
    fast = load_hidden(small_bert, Settings(engine="openvino"))
    reference = load_hidden(small_bert, Settings(engine="torch"))
    ids, mask = filled([[1, 2, 3, 4, 5, 6, 7], [8, 9, 10], [11]])
    types, _ = filled([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1], [0]])
    seen, expected = fast(ids, mask, types), reference(ids, mask, types)
    assert seen.shape == expected.shape == (3, 7, 64)
    assert seen.dtype == expected.dtype == np.float32
    for row, wanted in zip(seen[mask == 1], expected[mask == 1], strict=True):
        assert row @ wanted / np.linalg.norm(row) / np.linalg.norm(wanted) > 0.999
    longer = fast(*(np.tile(x, (2, 3)) for x in (ids, mask, types)))
    assert longer.shape == (6, 21, 64)


def test_what_stands_beside_it_in_a_batch_does_not_matter(small_bert: ResolvedModel):
    hidden = load_hidden(small_bert, Settings(engine="openvino"))
    ids, mask = filled([[1, 2, 3, 4, 5, 6, 7], [8, 9, 10]])
    together = hidden(ids, mask, np.zeros_like(ids))[1, :3]
    short, whole = filled([[8, 9, 10]])
    alone = hidden(short, whole, np.zeros_like(short))[0]
    assert together == pytest.approx(alone, abs=0.05)


def test_decoders_are_kept_in_int8():
    assert precision_for("decoder") == "int8"
    assert precision_for("encoder") in {"int8", "float16"}


def test_a_graph_is_named_by_weights_configuration_and_precision(small_bert: ResolvedModel, tmp_path: Path):
    one = graph_folder(small_bert, tmp_path, "int8")
    assert one.parent == tmp_path / "models"
    assert graph_folder(small_bert, tmp_path, "float16") != one
    assert graph_folder(ResolvedModel("small", small_bert.path, "1" * 64), tmp_path, "int8") != one
    other = tmp_path / small_bert.path.name
    other.mkdir()
    (other / "config.json").write_text("{}")
    assert graph_folder(ResolvedModel("small", other, small_bert.checksum), tmp_path, "int8") != one
