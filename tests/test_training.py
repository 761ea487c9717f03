"""What the training scripts share, without training anything."""

from __future__ import annotations

import json
import random

import pytest

from training import runs

torch = pytest.importorskip("torch")


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    run = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "a" / "run"), "--limit", "5"]
    monkeypatch.setattr("sys.argv", run)
    return runs.begin(
        runs.parser("Trains.\n\nMore.", seed=7, epochs=1, batch=6, rate=1e-4, counted="pairs"), threads=None
    )


def test_a_run_begins_with_its_folder_its_seed_and_its_defaults(arguments):
    assert arguments.out.is_dir()
    assert (arguments.seed, arguments.epochs, arguments.batch, arguments.rate) == (7, 1, 6, 1e-4)
    assert arguments.limit == 5
    assert random.random() == random.Random(7).random()


def test_own_settings_win_over_the_shared_ones(arguments):
    found = runs.settings_of(arguments, dict, bf16=False, save_steps=250)
    assert (found["bf16"], found["save_steps"], found["use_cpu"]) == (False, 250, True)
    assert (found["seed"], found["learning_rate"], found["num_train_epochs"]) == (7, 1e-4, 1)


def test_a_run_without_checkpoints_begins_at_the_start(tmp_path):
    assert runs.newest_checkpoint(tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    assert runs.newest_checkpoint(tmp_path) is None


def test_the_newest_checkpoint_is_the_highest_number_not_the_last_word(tmp_path):
    for step in (900, 1000, 50):
        (tmp_path / "checkpoints" / f"checkpoint-{step}").mkdir(parents=True)
    assert runs.newest_checkpoint(tmp_path) == str(tmp_path / "checkpoints" / "checkpoint-1000")


def test_the_record_and_the_weights_lie_in_the_run(tmp_path):
    from safetensors.torch import load_file

    model = torch.nn.Linear(2, 1)
    runs.keep_weights(model, tmp_path)
    runs.keep_record({"log": []}, tmp_path)
    assert load_file(tmp_path / "model.safetensors")["bias"].shape == (1,)
    assert json.loads((tmp_path / "run.json").read_text()) == {"log": []}
