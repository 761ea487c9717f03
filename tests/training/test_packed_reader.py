"""Lessons learned together behind one abstract are the lessons learned alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from training import lessons, reading  # noqa: E402
from training.asked import Asked, is_yes_no  # noqa: E402
from training.examples import is_fifth  # noqa: E402
from training.lessons import DECLINED, is_tenth  # noqa: E402
from training.packing import LessonParts, answer_losses, packed  # noqa: E402

PAPER = list(range(5, 45))
LESSONS = [
    LessonParts([50, 51, 52], [60, 61, 2]),
    LessonParts([53, 54, 55, 56, 57], [62, 2]),
    LessonParts([58], [63, 64, 65, 2]),
]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(7)
    config = transformers.Qwen2Config(
        vocab_size=80,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=False,
    )
    return transformers.Qwen2ForCausalLM(config).eval()


def alone(model, lesson):
    """The plain way: one conversation, causal, the loss of its answer."""
    ids = torch.tensor([PAPER + lesson.asked + lesson.answer])
    logits = model(input_ids=ids).logits[0, -len(lesson.answer) - 1 : -1]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(lesson.answer), reduction="none")


@torch.no_grad()
def test_packed_lessons_lose_what_they_lose_alone(model):
    together = answer_losses(model, packed(PAPER, LESSONS))
    apart = torch.cat([alone(model, lesson) for lesson in LESSONS])
    assert together.shape == apart.shape
    assert float((together - apart).abs().max()) < 1e-3


@torch.no_grad()
def test_a_lesson_does_not_see_its_neighbours(model):
    other = [LESSONS[0], LessonParts([70] * 9, [71, 2]), LESSONS[2]]
    before = answer_losses(model, packed(PAPER, LESSONS))
    after = answer_losses(model, packed(PAPER, other))
    assert torch.allclose(before[:3], after[:3], atol=1e-5)
    assert torch.allclose(before[-4:], after[-4:], atol=1e-5)


def test_only_answers_are_learned():
    pack = packed(PAPER, LESSONS)
    assert pack.wanted.tolist() == [60, 61, 2, 62, 2, 63, 64, 65, 2]
    assert pack.ids[0, pack.places].tolist() == [52, 60, 61, 57, 62, 58, 63, 64, 65]
    assert pack.positions[0, len(PAPER)].item() == len(PAPER)
    assert int(pack.positions.max()) < pack.ids.shape[1] - 5


@torch.no_grad()
def test_answers_written_side_by_side_are_those_written_alone(model, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST", 6)
    monkeypatch.setattr(model.config, "eos_token_id", 2)
    asked = [lesson.asked for lesson in LESSONS]
    together, chances = reading._greedy(model, PAPER, asked, 60)
    for one, row, chance in zip(asked, together, chances, strict=True):
        alone, own = reading._greedy(model, PAPER, [one], 60)
        assert alone == [row]
        assert own == pytest.approx([chance], abs=1e-6)
    for one, written in zip(asked, together, strict=True):
        ids = torch.tensor([PAPER + one])
        for place, token in enumerate(written):
            logits = model(input_ids=ids).logits[0, -1]
            if place == 0:
                logits[60] = -torch.inf
            assert int(logits.argmax()) == token
            ids = torch.cat([ids, torch.tensor([[token]])], dim=1)


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("It gains 4.8% accuracy over DINOv2.", "The accuracy gains over DINOv2 are 4.8%.", True),
        ("It gains 4.8% accuracy over DINOv2.", "The accuracy gains over DINOv2 are 8.4%.", False),
        ("Yes, it generalizes to unseen tasks.", "No, it generalizes to unseen tasks.", False),
        ("The encoder is frozen during training.", "Training takes long.", False),
    ],
)
def test_right_means_figures_words_and_the_same_yes_or_no(reference, answer, right):
    assert reading.is_right(reference, answer) is right


def test_refusals_are_right_where_nothing_is_told():
    silent = reading.WrittenReply("p", "absent", "q", DECLINED, "It gains 5%.", 0.6)
    told = reading.WrittenReply("p", "result", "q", "It gains 4.8%.", "It gains 4.8%.", 0.6)
    found = reading.figures([silent, told])
    assert found == {"right": 0.0, "right_if_told": 1.0, "wrongly_refused": 1.0, "refused": 1.0}
    shown = {"right": 1.0, "right_if_told": 1.0, "wrongly_refused": 0.0, "refused": 0.0, "words": 3.0}
    assert reading.figures([silent, told], 0.7) == shown


def test_papers_that_validate_were_held_out_before():
    names = [f"arxiv:2501.{number:05}" for number in range(2000)]
    tenth = [name for name in names if is_tenth(name)]
    assert 150 < len(tenth) < 250
    assert all(is_fifth(name) for name in tenth)


def test_two_questions_become_one():
    asked = [
        Asked("p", "numeric", "How many layers?", "24 layers."),
        Asked("p", "plain", "Which data?", "Two."),
    ]
    joined = lessons._joined(*asked)
    assert (joined.question, joined.answer) == ("How many layers? And which data?", "24 layers. Two.")


def test_yes_or_no_is_wanted_unless_there_is_a_choice():
    assert is_yes_no("Does it help?")
    assert not is_yes_no("Is it faster or slower?")
    assert not is_yes_no("How much does it help?")
