"""What a training run ships is what the product adds to the base again."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from rag.models.delta import changed  # noqa: E402
from training.ship import adapter, unpacked  # noqa: E402

UP = torch.tensor([[12.7, -12.7], [0.0, 25.4]])  # steps of .1 and .2
DOWN = torch.tensor([[127.0, 1.0, -64.0], [0.0, 254.0, 2.0]])  # steps of 1 and 2
NAMED = {
    "base_model.model.model.layers.3.mlp.up_proj.lora_A.weight": DOWN,
    "base_model.model.model.layers.3.mlp.up_proj.lora_B.weight": UP,
}
NAME = "model.layers.3.mlp.up_proj.weight"


def test_both_factors_are_int8_with_a_step_a_row_and_the_scaling_in_the_second() -> None:
    found = dict(adapter(NAMED, 2.0))
    assert set(found) == {f"{NAME}|{kind}" for kind in ("up", "up_scale", "down", "down_scale")}
    assert found[f"{NAME}|up"].tolist() == [[127, -127], [0, 127]]
    assert found[f"{NAME}|up_scale"].tolist() == pytest.approx([0.2, 0.4])
    assert found[f"{NAME}|down"].tolist() == [[127, 1, -64], [0, 127, 1]]
    assert found[f"{NAME}|down_scale"].tolist() == [1.0, 2.0]
    assert {tensor.dtype for tensor in found.values()} == {torch.int8, torch.float32}


def test_the_product_adds_the_adapter_to_the_base() -> None:
    base = torch.ones(2, 3)
    found = changed(base, NAME, dict(adapter(NAMED, 2.0)))
    assert torch.allclose(found, base + 2.0 * UP @ DOWN, atol=1e-3)


def test_any_factors_come_back_as_near_as_int8_allows() -> None:
    torch.manual_seed(3)
    up, down = torch.randn(6, 4), torch.randn(4, 9)
    names = dict(zip(NAMED, (down, up), strict=True))
    found = changed(torch.zeros(6, 9), NAME, dict(adapter(names, 0.5)))
    assert float((found - 0.5 * up @ down).abs().max()) < 0.05


def test_training_goes_on_from_what_ships() -> None:
    kept = dict(adapter(NAMED, 2.0))
    for name, factor in NAMED.items():
        trained = name.replace(".weight", ".default.weight")
        assert torch.allclose(unpacked(kept, trained, 2.0), factor, atol=1e-4)


def test_a_row_of_zeros_stays_one() -> None:
    names = dict(zip(NAMED, (torch.zeros(1, 2), torch.ones(2, 1)), strict=True))
    assert changed(torch.ones(2, 2), NAME, dict(adapter(names, 1.0))).tolist() == [[1.0, 1.0], [1.0, 1.0]]
