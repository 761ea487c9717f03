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


class Counting(torch.nn.Module):
    """Each pair's logit is the number of its tokens that are read, tenths for those of the evidence."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, input_ids, attention_mask, token_type_ids):
        self.batches.append(len(input_ids))
        return {"logits": (attention_mask.sum(1) + token_type_ids.sum(1) / 10).float()}


class Words:
    """A tokenizer with a token a word."""

    cls_token_id, sep_token_id = 1, 2

    def __call__(self, texts, **_):
        return {"input_ids": [[7] * len(text.split()) for text in texts]}


def test_scores_are_in_the_order_of_the_pairs_though_read_in_batches_by_length():
    from training.verifier import BATCH, Pair, scores

    counts = [(i * 7) % (BATCH + 5) + 1 for i in range(BATCH + 5)]
    pairs = [Pair("a claim", "word " * count, True, "written") for count in counts]
    model = Counting()
    found = scores(model, Words(), pairs)
    # [CLS] a claim [SEP] words [SEP]: the last mark counts as evidence
    assert found.tolist() == pytest.approx([4 + (count + 1) * 1.1 for count in counts])
    assert model.batches == [BATCH, 5]
    assert model.training
