"""A base model with some tensors replaced, and what happens when they are missing or do not fit."""

import logging

import pytest
from safetensors.torch import load_file, save_file

from rag.errors import ModelCorrupt, ModelMissing
from rag.models import weights
from rag.models.catalogue import READER, TUNED_MODELS
from rag.models.delta import apply_delta, changed, merged
from rag.models.weights import ResolvedModel
from rag.settings import Settings
from rag.storage.built import is_complete

torch = pytest.importorskip("torch")


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    save_file({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}, folder / "model.safetensors")
    return folder


def with_delta(base, tmp_path, tensors):
    delta = tmp_path / "tuned" / "delta.safetensors"
    delta.parent.mkdir()
    save_file(tensors, delta)
    return ResolvedModel("tuned", base, "0123456789abcdef", delta)


def test_the_tensors_of_the_delta_stand_in_place_of_the_bases(base, tmp_path):
    model = with_delta(base, tmp_path, {"a": torch.tensor([5.0, 6.5], dtype=torch.float16)})
    found = merged(model, tmp_path / "cache")
    tensors = load_file(found.path / "model.safetensors")
    assert tensors["a"].tolist() == [5.0, 6.5]
    assert tensors["a"].dtype == torch.float32
    assert tensors["b"].tolist() == [3.0]
    assert (found.path / "config.json").read_text() == "{}"
    assert (found.checksum, found.delta) == (model.checksum, None)
    assert load_file(base / "model.safetensors")["a"].tolist() == [1.0, 2.0]


def test_steps_and_low_rank_changes_are_added_to_the_base_by_hand(tmp_path):
    tensors = {
        "m": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "n": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    }
    changes = {
        "m|step": torch.tensor([[10, -20], [0, 127]], dtype=torch.int8),
        "m|scale": torch.tensor([0.1, 0.01]),
        "n|up": torch.tensor([[1.0], [2.0]]),
        "n|down": torch.tensor([[3.0, 4.0]]),
    }
    assert changed(tensors["m"], "m", changes).tolist() == [
        pytest.approx([2.0, 0.0]), pytest.approx([3.0, 5.27]),
    ]  # fmt: skip
    assert changed(tensors["n"], "n", changes).tolist() == [[4.0, 4.0], [6.0, 9.0]]


def test_low_rank_changes_in_int8_have_a_step_a_row():
    changes = {
        "n|up": torch.tensor([[10], [-20]], dtype=torch.int8),
        "n|up_scale": torch.tensor([0.5, 0.1]),  # up is 5, -2
        "n|down": torch.tensor([[3, 4]], dtype=torch.int8),
        "n|down_scale": torch.tensor([2.0]),  # down is 6, 8
    }
    base = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.bfloat16)
    found = changed(base, "n", changes)
    assert found.dtype == torch.float32
    assert found.tolist() == [pytest.approx([31.0, 40.0]), pytest.approx([-12.0, -15.0])]


def test_one_factor_may_be_int8_and_the_other_not():
    changes = {
        "n|up": torch.tensor([[10]], dtype=torch.int8),
        "n|up_scale": torch.tensor([0.5], dtype=torch.float16),
        "n|down": torch.tensor([[0.5, 1.0]], dtype=torch.float16),
    }
    assert changed(torch.zeros(1, 2), "n", changes).tolist() == [[2.5, 5.0]]


def test_a_loaded_model_is_changed_in_place(base, tmp_path):
    model = with_delta(
        base, tmp_path, {"weight|up": torch.tensor([[2.0]]), "weight|down": torch.tensor([[3.0, 4.0]])}
    )
    layer = torch.nn.Linear(2, 1)
    torch.nn.init.ones_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    apply_delta(dict(layer.named_parameters()), model.delta)
    assert layer.weight.tolist() == [[7.0, 9.0]]
    assert layer.bias.tolist() == [0.0]
    with pytest.raises(ModelCorrupt, match="no weight"):
        apply_delta({"bias": layer.bias}, model.delta)


def test_heads_are_kept_in_a_file_of_their_own(base, tmp_path):
    model = with_delta(base, tmp_path, {"heads.bias": torch.tensor([0.5], dtype=torch.float16)})
    folder = merged(model, tmp_path / "cache").path
    assert load_file(folder / "heads.safetensors")["heads.bias"].tolist() == [0.5]
    assert set(load_file(folder / "model.safetensors")) == {"a", "b"}


def test_merging_happens_once_and_again_when_the_result_is_damaged(base, tmp_path):
    model = with_delta(base, tmp_path, {"b": torch.tensor([7.0])})
    folder = merged(model, tmp_path / "cache").path
    written = (folder / "model.safetensors").stat().st_mtime_ns
    merged(model, tmp_path / "cache")
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert not is_complete(folder)
    assert load_file(merged(model, tmp_path / "cache").path / "model.safetensors")["b"].tolist() == [7.0]


def test_a_delta_of_another_model_is_refused_and_leaves_nothing(base, tmp_path):
    model = with_delta(base, tmp_path, {"c": torch.tensor([1.0])})
    with pytest.raises(ModelCorrupt, match="no c"):
        merged(model, tmp_path / "cache")
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_model_without_a_delta_stays_where_it_is(base, tmp_path):
    model = ResolvedModel("plain", base, "00")
    assert merged(model, tmp_path / "cache") is model
    assert not (tmp_path / "cache").exists()


def here(name):
    """Whether a model's base is on this machine."""
    try:
        return weights.resolve(TUNED_MODELS[name], Settings.load())
    except ModelMissing:
        return None


def test_a_missing_delta_gives_the_base_and_a_note(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(weights, "_WEIGHTS", tmp_path)
    name, base_name = next(iter(TUNED_MODELS.items()))
    with caplog.at_level(logging.WARNING):
        found = weights.resolve(name, Settings.load())
    assert found == weights.resolve(base_name, Settings.load())
    assert "answers will be weaker" in caplog.text


@pytest.mark.parametrize("name", TUNED_MODELS)
def test_the_shipped_delta_changes_what_identifies_the_model(name):
    base = here(name)
    if base is None:
        assert name == READER  # the only one that something else stands in for
        pytest.skip("the reader's base is not on this machine")
    tuned = weights.resolve(name, Settings.load())
    assert tuned.delta is not None
    assert tuned.checksum != base.checksum
