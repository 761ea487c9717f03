"""What was read of an opening and kept is gone on from as if it had been read now; by both engines alike.

Small models with random weights, in float32 but for their matrices and kept states (float16).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
pytest.importorskip("torch")
from small_decoders import WINDOW, openvino_decoder, small_decoder, store, torch_decoder

from rag.models.engines.choose import engine_for
from rag.models.engines.decoder import Decoder, Reading, Split
from rag.models.engines.openvino_decoder import OpenVinoDecoder
from rag.models.engines.states import log_probabilities, reading_of
from rag.models.engines.torch_decoder import TorchDecoder
from rag.settings import Settings

NEAR = 0.02  # nats, of likelihoods of 10 and more


@dataclass(frozen=True)
class Engines:
    """A model by torch, as a graph that keeps nothing, and as one that keeps what it read."""

    folder: Path
    reference: TorchDecoder
    plain: OpenVinoDecoder
    keeping: OpenVinoDecoder
    kept: Path


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def engines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engines:
    folder = small_decoder(request.param, tmp_path_factory.mktemp(request.param))
    cache, kept = tmp_path_factory.mktemp("graphs"), tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.models.engines.compiled.precision_for", lambda role: "float16")
        patch.setattr("rag.models.engines.compiled.multiplies_bfloat16", lambda: False)
        return Engines(
            folder,
            torch_decoder(folder),
            openvino_decoder(folder, cache),
            openvino_decoder(folder, cache, store(kept)),
            kept,
        )


def words(first: int, count: int) -> str:
    return " ".join(f"w{(first + 7 * n) % 60}" for n in range(count))


LONG, MIDDLE, SHORT = words(3, 40), words(11, 17), words(5, 1)
PROMPTS = [
    Split(LONG, f" {words(1, 6)}"),
    Split(SHORT, f" {words(2, 3)}"),
    Split(MIDDLE, f" {words(1, 6)}"),
    Split(LONG, f" {words(9, 1)}"),
]
PROPOSED = ["w1", "w2 w3", "w59"]


def assert_alike(found: list[Reading], expected: list[Reading], near: float = NEAR) -> None:
    assert [one.likelihood for one in found] == pytest.approx([one.likelihood for one in expected], abs=near)
    for one, other in zip(found, expected, strict=True):
        assert one.first == pytest.approx(other.first, abs=near)


def by_hand(engines: Engines, prompt: Split) -> Reading:
    """The whole prompt through the torch model, once, without any decoder."""
    import torch

    model, tokenizer = engines.reference._model, engines.reference._tokenizer
    opening, rest = (
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt.opening, prompt.rest)
    )
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([opening + rest])).logits[0].log_softmax(-1)
    first = len(opening)
    told = [float(logits[first + n - 1, token]) for n, token in enumerate(rest) if n > 0]
    proposed = [tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in PROPOSED]
    return Reading(sum(told), tuple(float(logits[-1, number]) for number in proposed))


def test_both_families_are_run_by_openvino(engines: Engines) -> None:
    assert engine_for(engines.folder, "decoder", Settings()) == "openvino"


def test_a_reading_is_of_the_rest_behind_its_first_token_and_of_each_word_after_it(engines: Engines) -> None:
    expected = [by_hand(engines, prompt) for prompt in PROMPTS]
    assert_alike(engines.reference.read(PROMPTS, PROPOSED), expected, near=1e-3)
    assert expected[3].likelihood == 0.0  # a rest of one token tells nothing


def test_both_engines_make_the_same_of_a_prompt(engines: Engines) -> None:
    assert_alike(engines.plain.read(PROMPTS, PROPOSED), engines.reference.read(PROMPTS, PROPOSED))


def test_behind_a_kept_opening_it_reads_what_it_reads_of_the_whole(engines: Engines) -> None:
    """A batch of unlike openings, the same one twice among them; then from what was kept; then backwards."""
    expected = engines.plain.read(PROMPTS, PROPOSED)
    first = engines.keeping.read(PROMPTS, PROPOSED)
    assert_alike(first, expected)
    assert len(list(engines.kept.glob("*.safetensors"))) >= 3
    assert engines.keeping.read(PROMPTS, PROPOSED) == first
    assert_alike(engines.keeping.read(PROMPTS[::-1], PROPOSED), expected[::-1])


def test_beside_others_a_prompt_reads_as_it_does_alone(engines: Engines) -> None:
    together = engines.keeping.read(PROMPTS, PROPOSED)
    alone = [engines.keeping.read([prompt], PROPOSED)[0] for prompt in PROMPTS]
    assert_alike(together, alone, near=1e-3)


def test_as_many_are_read_together_as_there_is_room_for(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engines.keeping.read(PROMPTS, PROPOSED)
    for room in (1, 12):  # one prompt at a time; two
        monkeypatch.setattr("rag.models.engines.openvino_decoder._SCORED_TOKENS_AT_ONCE", room)
        assert_alike(engines.keeping.read(PROMPTS, PROPOSED), expected, near=1e-3)


def test_another_process_goes_on_from_what_was_kept(engines: Engines, tmp_path: Path) -> None:
    expected = engines.keeping.read(PROMPTS[:1], PROPOSED)
    before = {path.name for path in engines.kept.iterdir()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.models.engines.compiled.precision_for", lambda role: "float16")
        patch.setattr("rag.models.engines.compiled.multiplies_bfloat16", lambda: False)
        other = openvino_decoder(engines.folder, tmp_path, store(engines.kept))
    assert other.read(PROMPTS[:1], PROPOSED) == expected
    assert {path.name for path in engines.kept.iterdir()} == before


def decoders(engines: Engines) -> list[Decoder]:
    return [engines.reference, engines.plain, engines.keeping]


def test_all_write_the_same_however_they_are_asked(engines: Engines) -> None:
    expected = [text.strip() for text in engines.reference.write(PROMPTS, [], 8)]
    assert len(set(expected)) > 1
    for decoder in decoders(engines):
        assert [text.strip() for text in decoder.write(PROMPTS, [], 8)] == expected
        assert [decoder.write([prompt], [], 8)[0].strip() for prompt in PROMPTS] == expected
        assert ["".join(decoder.pieces(prompt, [], 8)).strip() for prompt in PROMPTS] == expected


def test_without_an_opening_a_prompt_is_read_whole(engines: Engines) -> None:
    whole = [Split("", prompt.opening + prompt.rest) for prompt in PROMPTS]
    expected = engines.reference.write(PROMPTS, [], 8)
    before = len(list(engines.kept.iterdir()))
    for decoder in decoders(engines):
        assert [t.strip() for t in decoder.write(whole, [], 8)] == [t.strip() for t in expected]
    # one without an opening beside others: none is kept
    mixed = engines.keeping.write([whole[0], PROMPTS[1]], [], 8)
    assert [text.strip() for text in mixed] == [text.strip() for text in expected[:2]]
    assert len(list(engines.kept.iterdir())) == before


def test_what_will_not_be_read_again_is_not_kept_and_reads_the_same(engines: Engines) -> None:
    once = [Split(words(20, 30), prompt.rest, keeps=False) for prompt in PROMPTS]
    again = [Split(one.opening, one.rest) for one in once]
    before = len(list(engines.kept.iterdir()))
    for decoder in decoders(engines):
        found = [text.strip() for text in decoder.write(once, [], 6)]
        assert found == [text.strip() for text in engines.reference.write(again, [], 6)]
    first = [one.first for one in engines.keeping.read(once, PROPOSED)]
    assert len(list(engines.kept.iterdir())) == before
    for own, other in zip(first, engines.reference.read(again, PROPOSED), strict=True):
        assert own == pytest.approx(other.first, abs=NEAR)


def test_what_may_not_come_first_gives_way_to_the_second_best_and_may_come_later(engines: Engines) -> None:
    names = [f"w{number}" for number in range(60)]
    [chances] = [one.first for one in engines.reference.read(PROMPTS[:1], names)]
    ranked = [names[place] for place in np.argsort(chances)[::-1]]
    for decoder in decoders(engines):
        free = decoder.write(PROMPTS[:1], [], 6)[0].split()
        banned = decoder.write(PROMPTS[:1], [], 6, never_first=f"{free[0]} w1")[0].split()
        assert (free[0], banned[0]) == (ranked[0], ranked[1])
        streamed = "".join(decoder.pieces(PROMPTS[0], [], 6, never_first=free[0])).split()
        assert streamed == banned
        later = decoder.write(PROMPTS[:1], [], 6, never_first=free[1])[0].split()
        assert later == free


def test_where_a_prompt_does_not_fit_the_window_the_opening_loses_its_end(engines: Engines) -> None:
    rest = f" {words(1, 6)}"
    long = Split(words(3, WINDOW), rest)
    fits = Split(words(3, WINDOW - 6 - 8), rest)
    reads = Split(words(3, WINDOW - 6 - 1), rest)
    for decoder in decoders(engines):
        assert decoder.write([long], [], 8) == decoder.write([fits], [], 8)
        assert decoder.read([long], PROPOSED) == decoder.read([reads], PROPOSED)


def test_nothing_asked_is_nothing_read(engines: Engines) -> None:
    for decoder in decoders(engines):
        assert decoder.read([], PROPOSED) == []
        [one] = decoder.read(PROMPTS[:1], [])
        assert one.first == ()


# -- by hand --------------------------------------------------------------------------------------


def test_log_probabilities_by_hand() -> None:
    # two tokens of a vocabulary of two, each one half, for the first row; 3/4 and 1/4 for the second
    logits = np.log(np.array([[[1, 1], [1, 1]], [[3, 1], [3, 1]]], dtype=np.float32))
    assert log_probabilities(logits, [0, 1]) == pytest.approx([2 * np.log(0.5), np.log(0.75) + np.log(0.25)])


def test_a_reading_by_hand() -> None:
    # behind each of three tokens [9, 1, 0]: of the second 1/4 was foretold, of the third 1/2
    logits = np.log(np.array([[3, 1], [1, 1], [1, 4]], dtype=np.float32))
    found = reading_of(logits, [9, 1, 0], [1, 0])
    assert found.likelihood == pytest.approx(np.log(0.25) + np.log(0.5))
    assert found.first == pytest.approx((np.log(0.8), np.log(0.2)))
    # of a rest longer than what was scored only the end counts
    cut = reading_of(logits[1:], [9, 1, 0], [])
    assert cut.likelihood == pytest.approx(np.log(0.5))
    alone = reading_of(logits[2:], [0], [1])
    assert (alone.likelihood, alone.first) == (0.0, pytest.approx((np.log(0.8),)))
